/** Keeps the gaps of a series in step with its runs, in the transaction that has locked its account. */
import {
  dividedGap,
  type FailedScope,
  type Gap,
  type GapChange,
  gapCauses,
  joinedGap,
  type Neighbour,
  scopesAround,
} from "../../runs/gaps.ts";
import { isDueSql } from "../../runs/slot-counts.ts";
import { gap as gapTable, notComplete, wholeRun } from "../../schema/tables.ts";
import type { Connection } from "../connection.ts";
import { insertRows } from "./rows.ts";

/** A run that has ended. */
export interface EndedRun {
  seriesId: number;
  slot: number;
  state: string;
  cause: string | null;
}

/** Selects the runs of scope `c`: due ones alone, except for stretches without a complete run. */
const counted = `(c.scope_id = ${notComplete} or ${isDueSql("slot")})`;

const gapBefore = (alias: string, slot: string) =>
  `left join lateral (
     select from_slot, to_slot, slots, cause from gap
     where series_id = $1 and scope_id = c.scope_id and from_slot <= ${slot} order by from_slot desc limit 1) ${alias} on true`;

const gapCells = (alias: string) => `${alias}.from_slot, ${alias}.to_slot, ${alias}.slots, ${alias}.cause`;

/** Adds a run with its final state to the gaps. `failed` are the failed snapshots of a partial run. */
export async function runEnded(
  connection: Connection,
  run: EndedRun,
  failed: readonly FailedScope[] = [],
): Promise<void> {
  const causes = gapCauses(run, failed);
  if (causes.size === 0) return;
  const { seriesId, slot } = run;
  const neighbours = await neighboursOf(connection, seriesId, slot, [...causes.keys()]);
  const changes = [...causes].map(([scopeId, cause]) =>
    joinedGap({ seriesId, scopeId, slot, cause }, neighbours.get(scopeId) ?? []),
  );
  await replaceGaps(connection, changes);
}

/** Adds slots that were closed, the newest runs of a series, to the gaps; oldest first, at least one. */
export async function newestClosed(connection: Connection, runs: readonly [EndedRun, ...EndedRun[]]): Promise<void> {
  const { seriesId, slot: first } = runs[0];
  const stored = await neighboursOf(connection, seriesId, first, [notComplete, wholeRun]);
  const last = new Map([...stored].map(([scopeId, [before = null]]) => [scopeId, before]));
  const removed = new Set<Gap>();
  const added = new Set<Gap>();
  for (const run of runs)
    for (const [scopeId, cause] of gapCauses(run, [])) {
      const { slot } = run;
      const change = joinedGap({ seriesId, scopeId, slot, cause }, [last.get(scopeId) ?? null, null]);
      for (const gap of change.removed) if (!added.delete(gap)) removed.add(gap);
      for (const gap of change.added) {
        added.add(gap);
        last.set(scopeId, { slot, gap });
      }
    }
  await replaceGaps(connection, [{ removed: [...removed], added: [...added] }]);
}

/** Returns the neighbours of a slot, the one before and the one after it, by scope. */
async function neighboursOf(
  connection: Connection,
  seriesId: number,
  slot: number,
  scopeIds: readonly number[],
): Promise<Map<number, (Neighbour | null)[]>> {
  const found = await connection.cells(
    `select c.scope_id, b.slot, a.slot, ${gapCells("gb")}, ${gapCells("ga")}
     from unnest($2::bigint[]) c(scope_id)
       left join lateral (
         select slot from run where series_id = $1 and slot < $3 and ${counted} order by slot desc limit 1) b on true
       left join lateral (
         select slot from run where series_id = $1 and slot > $3 and ${counted} order by slot limit 1) a on true
       ${gapBefore("gb", "b.slot")}
       ${gapBefore("ga", "a.slot")}`,
    [seriesId, scopeIds, slot],
  );
  return new Map(
    found.map(([scope, before, after, ...cells]) => {
      const scopeId = Number(scope);
      const [left, right] = [gapOf(seriesId, scopeId, cells), gapOf(seriesId, scopeId, cells.slice(4))];
      return [scopeId, [neighbour(before, left), neighbour(after, right)]];
    }),
  );
}

const neighbour = (slot: unknown, gap: Gap | null): Neighbour | null =>
  typeof slot === "number" ? { slot, gap } : null;

function gapOf(seriesId: number, scopeId: number, [fromSlot, toSlot, slots, cause]: readonly unknown[]): Gap | null {
  if (fromSlot == null) return null;
  return { seriesId, scopeId, fromSlot, toSlot, slots, cause } as Gap;
}

/** Divides the gaps around a slot at which a run was added. `scopeIds` are those of the series. */
export async function runAdded(connection: Connection, seriesId: number, slot: number): Promise<void> {
  const scopes = await connection.cells("select id from scope where series_id = $1", [seriesId]);
  const around = scopesAround(
    slot,
    scopes.map(([id]) => Number(id)),
  );
  await divide(connection, seriesId, slot, around, ({ toSlot }) => toSlot > slot, 0);
}

/** Removes a slot from its gaps: its run was `missed`, and is running now. */
export const runReclaimed = (connection: Connection, seriesId: number, slot: number): Promise<void> =>
  divide(connection, seriesId, slot, scopesAround(slot, []), ({ toSlot }) => toSlot >= slot, 1);

/** Splits the gaps around a slot; `removed` is how many of their slots it was. */
async function divide(
  connection: Connection,
  seriesId: number,
  slot: number,
  scopeIds: readonly number[],
  contains: (gap: Gap) => boolean,
  removed: 0 | 1,
): Promise<void> {
  const found = await connection.cells(
    `select c.scope_id, ${gapCells("g")},
       (select max(slot) from run where series_id = $1 and slot < $3 and ${counted}),
       (select min(slot) from run where series_id = $1 and slot > $3 and ${counted}),
       (select count(*) from run where series_id = $1 and slot > $3 and slot <= g.to_slot and ${counted})
     from unnest($2::bigint[]) c(scope_id) ${gapBefore("g", "$3")}
     where g.to_slot >= $3`,
    [seriesId, [...scopeIds], slot],
  );
  const changes = (found as (number | null)[][]).flatMap(([scopeId, ...cells]) => {
    const gap = gapOf(seriesId, Number(scopeId), cells);
    if (!gap || !contains(gap)) return [];
    const [before = null, after = null, right] = cells.slice(4);
    return [dividedGap(gap, { members: gap.slots - removed, right: Number(right), before, after })];
  });
  await replaceGaps(connection, changes);
}

async function replaceGaps(connection: Connection, changes: readonly GapChange[]): Promise<void> {
  const removed = changes.flatMap((change) => change.removed);
  const added = changes.flatMap((change) => change.added);
  if (removed.length > 0)
    await connection.run(
      `delete from gap using unnest($1::bigint[], $2::bigint[], $3::bigint[]) as given(series_id, scope_id, from_slot)
       where gap.series_id = given.series_id and gap.scope_id = given.scope_id and gap.from_slot = given.from_slot`,
      [
        removed.map(({ seriesId }) => seriesId),
        removed.map(({ scopeId }) => scopeId),
        removed.map((one) => one.fromSlot),
      ],
    );
  const rows = added.map(({ seriesId, scopeId, fromSlot, toSlot, slots, cause }) => [
    ...[seriesId, scopeId, fromSlot, toSlot, slots],
    cause,
  ]);
  await insertRows(connection, gapTable, ["series_id", "scope_id", "from_slot", "to_slot", "slots", "cause"], rows);
}
