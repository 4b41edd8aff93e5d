/** Reads what is retained of a pruned day and cannot be recomputed: the ranges, and the episodes of closed positions. */
import { getTableColumns } from "drizzle-orm";
import { snakeCase } from "../../core/columns.ts";
import type { Value } from "../../core/domain.ts";
import { dayMs } from "../../core/time.ts";
import { episode } from "../schema/derived/episode-table.ts";
import { linesDigest } from "../schema/digest.ts";
import { unpackHex } from "../schema/encoding.ts";
import type { StorageLayout } from "../schema/storage-layout.ts";
import { dailyRange } from "../schema/tables.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** A retained row of a pruned day. */
export interface RetainedRow {
  table: "daily_range" | "episode";
  /** Canonical text of the row: product type, key of the item, field (of a range), values. */
  line: string;
}

/** Returns the digest of a pruned day, which its link covers. */
export const retainedDigest = (rows: readonly RetainedRow[]): string => linesDigest(rows.map(({ line }) => line));

/** Prepares to read the rows of a dataset by series and day (epoch ms of its midnight). */
export function prepareRetainedRows(
  sqlite: Sqlite,
  layout: StorageLayout,
): (seriesId: number, day: number) => RetainedRow[] {
  const { least, greatest, ...ofRange } = getTableColumns(dailyRange);
  const rangesOf = createReader(sqlite, layout, {
    table: "daily_range",
    name: [ofRange.field],
    columns: [least, greatest],
    condition: `r.dataset = '${layout.dataset.name}' and r.day = @day`,
  });
  if (!layout.dataset.episodes) return rangesOf;
  const { itemId, ...ofEpisode } = getTableColumns(episode);
  const episodesOf = createReader(sqlite, layout, {
    table: "episode",
    name: [],
    columns: Object.values(ofEpisode),
    condition: `r.closed_before >= @day and r.closed_before < @day + ${dayMs}`,
  });
  return (seriesId, day) => [...rangesOf(seriesId, day), ...episodesOf(seriesId, day)];
}

interface Source {
  table: RetainedRow["table"];
  name: readonly TableColumn[];
  columns: readonly TableColumn[];
  condition: string;
}

/** A column; packed decimals have the SQL type `blob`. */
interface TableColumn {
  name: string;
  getSQLType(): string;
}

function createReader(sqlite: Sqlite, { prefix, key }: StorageLayout, { table, name, columns, condition }: Source) {
  const isAmount = columns.map((column) => column.getSQLType() === "blob");
  const names = ["p.product_type", ...key.map((one) => `i.${snakeCase(one)}`), ...name.map((one) => `r.${one.name}`)];
  const cells = columns.map((column, at) => (isAmount[at] ? `hex(r.${column.name})` : `r.${column.name}`));
  const rows = sqlite.prepare<{ seriesId: number; day: number }, Value[]>(
    `select ${[...names, ...cells].join(", ")}
     from scope p join ${prefix}_item i on i.scope_id = p.id join ${table} r on r.item_id = i.id
     where p.series_id = @seriesId and ${condition} order by i.id, ${table === "episode" ? "r.since" : "r.field"}`,
  );
  rows.raw();
  // hex(NULL) is an empty text.
  const read = (cell: Value, at: number): Value => (isAmount[at] ? unpackHex(String(cell)) || null : cell);
  return (seriesId: number, day: number): RetainedRow[] =>
    rows.all({ seriesId, day }).map((row) => ({
      table,
      line: JSON.stringify([...row.slice(0, names.length), ...row.slice(names.length).map(read)]),
    }));
}
