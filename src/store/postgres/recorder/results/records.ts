/** Stores each record of incremental datasets once, in the transaction that has locked the account. */
import type { DecimalString, RecordBatch, Value } from "../../../../core/domain.ts";
import { planRecords, type ReadRecord, type RecordPlan } from "../../../records/record-plan.ts";
import {
  type RecordLayout,
  readingRow,
  reading as readingTable,
  recordTableOf,
  storedColumns,
} from "../../../schema/record-layout.ts";
import { rowKey } from "../../cells.ts";
import type { Connection } from "../../connection.ts";
import { insertRows, oddDigitsIn } from "../rows.ts";

const tables = new WeakMap<RecordLayout, ReturnType<typeof recordTableOf>>();

function tableOf(layout: RecordLayout): ReturnType<typeof recordTableOf> {
  const known = tables.get(layout) ?? recordTableOf(layout.dataset);
  tables.set(layout, known);
  return known;
}

/** Compares a batch with the stored records of its scope. */
export async function comparedRecords(
  connection: Connection,
  layout: RecordLayout,
  scopeId: number,
  batch: RecordBatch,
  read: readonly ReadRecord[],
): Promise<RecordPlan> {
  const stored = await storedVersions(connection, layout, scopeId, [...new Set(read.map(({ id }) => id))]);
  return planRecords(layout, scopeId, batch, read, (id) => stored.get(id) ?? []);
}

/** Returns every version of records by their ids, the oldest first. */
async function storedVersions(
  connection: Connection,
  layout: RecordLayout,
  scopeId: number,
  ids: readonly string[],
): Promise<Map<string, Value[][]>> {
  const { prefix, columns, idAt } = layout;
  const stored = storedColumns(layout);
  const table = `${prefix}_record`;
  const rows = (await connection.cells(
    `select version, ${stored.join(", ")} from ${table} where scope_id = $1 and ${stored[idAt]} = any($2) order by version`,
    [scopeId, ids],
  )) as Value[][];
  const keyOf = ([version, ...cells]: readonly Value[]) => rowKey([scopeId, cells[idAt], version]);
  const original = await oddDigitsIn(
    connection,
    rows.map((row) => [table, keyOf(row)] as const),
  );
  const versions = new Map<string, Value[][]>();
  for (const row of rows) {
    const cells = row.slice(1).map((cell, at) => {
      const isAmount = columns[at]?.kind === "decimal";
      return isAmount ? original(table, keyOf(row), stored[at] ?? "", cell as DecimalString | null) : cell;
    });
    const id = String(cells[idAt]);
    versions.set(id, [...(versions.get(id) ?? []), cells]);
  }
  return versions;
}

/** Stores a plan under the id of its snapshot. */
export async function insertRecords(connection: Connection, snapshotId: number, plan: RecordPlan): Promise<void> {
  const { layout, scopeId, rows, reading } = plan;
  await insertRows(
    connection,
    tableOf(layout),
    ["scope_id", "snapshot_id", "version", "extra", ...storedColumns(layout)],
    rows.map(({ version, cells, extra }) => [scopeId, snapshotId, version, extra, ...cells]),
  );
  const { through, windowFrom, windowTo, cursor, holeFrom, holeTo } = readingRow(reading);
  await insertRows(
    connection,
    readingTable,
    ["snapshot_id", "through", "window_from", "window_to", "cursor", "hole_from", "hole_to"],
    [[snapshotId, through, windowFrom, windowTo, cursor, holeFrom, holeTo]],
  );
}
