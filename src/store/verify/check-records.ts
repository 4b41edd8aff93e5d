/** Reads the records of incremental datasets by the snapshot with which they were stored. */
import type { Value } from "../../core/domain.ts";
import type { IncrementalDataset } from "../../datasets/incremental.ts";
import { decodeCell } from "../schema/encoding.ts";
import {
  type ReadingRow,
  readColumns,
  readingColumns,
  readingLine,
  recordLayoutOf,
  recordLine,
} from "../schema/record-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { ScopeContents } from "./check-snapshots.ts";
import type { Report } from "./problem.ts";

type Stored = [snapshotId: number, version: number, extra: string | null, ...cells: unknown[]];

/** Returns the records of a scope by snapshot. Reports records that belong to no good snapshot of the scope. */
export function recordContents(
  sqlite: Sqlite,
  dataset: IncrementalDataset,
  scopeId: number,
  report: Report,
): ScopeContents {
  const layout = recordLayoutOf(dataset);
  const { prefix, idAt } = layout;
  const table = `${prefix}_record`;
  const findReading = sqlite.prepare<[number], ReadingRow>(
    `select ${readingColumns} from reading g where g.snapshot_id = ?`,
  );
  const rows = sqlite
    .prepare<[number], Stored>(
      `select snapshot_id, version, extra, ${readColumns(layout).join(", ")}
       from ${table} where scope_id = ? order by snapshot_id`,
    )
    .raw()
    .iterate(scopeId);
  let next = rows.next();
  const reportForeign = (before: number) => {
    for (; !next.done && next.value[0] < before; next = rows.next())
      report(
        `${next.value[3 + idAt]} (${table}.snapshot_id): came with ${next.value[0]}, which is not a good snapshot of its scope`,
      );
  };
  return {
    prefix: table,
    view: prefix,
    at(snapshotId) {
      reportForeign(snapshotId);
      const ids: string[] = [];
      const lines: string[] = [];
      for (; !next.done && next.value[0] === snapshotId; next = rows.next()) {
        const [, version, extra, ...stored] = next.value;
        const cells: Value[] = stored.map(decodeCell);
        ids.push(String(cells[idAt]));
        lines.push(recordLine(layout, { version, cells, extra }));
      }
      const reading = findReading.get(snapshotId);
      if (reading) lines.push(readingLine(reading));
      return { lines, rows: ids.length, written: () => ids };
    },
    end: () => reportForeign(Number.POSITIVE_INFINITY),
  };
}
