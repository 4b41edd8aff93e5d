/** Formats rows as a Parquet file: amounts and times as text, so that no digit is lost; integers as INT64. */
import { ByteWriter, ParquetWriter, type SchemaElement } from "hyparquet-writer";
import { snakeCase } from "../core/columns.ts";
import type { Cell } from "../core/domain.ts";
import type { AnyDataset } from "../datasets/incremental.ts";

/** Rows per row group, which writer and reader hold in memory. */
const rowsPerGroup = 10_000;

/** Yields the file in pieces, one for each row group. Columns that are not integers are texts. */
export function* parquetChunks(
  dataset: AnyDataset,
  columns: readonly string[],
  snapshots: Iterable<Cell[][]>,
): Generator<Buffer, void> {
  const writer = new ByteWriter();
  const file = new ParquetWriter({
    writer,
    schema: schemaOf(columns, integersOf(dataset)),
    createdBy: "bitget-collector",
  });
  let rows: Cell[][] = [];
  for (const some of snapshots) {
    rows.push(...some);
    if (rows.length < rowsPerGroup) continue;
    yield groupOf(rows);
    rows = [];
  }
  if (rows.length > 0) yield groupOf(rows);
  void file.finish();
  yield written();

  function groupOf(group: readonly Cell[][]): Buffer {
    const columnData = columns.map((name, at) => ({ name, data: group.map((row) => row[at] ?? null) }));
    void file.write({ columnData, rowGroupSize: group.length });
    return written();
  }

  /** Returns the bytes written since the last call; the writer keeps counting its offset in the file. */
  function written(): Buffer {
    const bytes = Buffer.from(writer.getBytes());
    writer.index = 0;
    return bytes;
  }
}

const integersOf = ({ columns }: AnyDataset): ReadonlySet<string> => {
  const flags = Object.keys(columns).filter((name) => columns[name]?.kind === "flag");
  return new Set([...flags.map(snakeCase), "snapshot_id", "taken_at_ms", "version", "at_ms"]);
};

const schemaOf = (columns: readonly string[], integers: ReadonlySet<string>): SchemaElement[] => [
  { name: "root", num_children: columns.length },
  ...columns.map(
    (name): SchemaElement =>
      integers.has(name)
        ? { name, type: "INT64", repetition_type: "OPTIONAL" }
        : { name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
  ),
];
