/**
 * Keeps the table of gaps: neighbouring due slots of a series that lack a good snapshot for the same cause. Gaps follow from the run
 * ledger; the table is updated run by run so that reading the last few does not depend on the length of the history. A manual run
 * has no due slot: it neither makes nor divides a gap.
 */

import { type Paced, pause } from "../../core/async/cooperate.ts";
import { isDueSlot } from "../../core/domain.ts";
import { notComplete, wholeRun } from "../schema/tables.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { isDueSql } from "./slot-counts.ts";

/** A row of the table. Its series has no other due run between these slots. */
export interface Gap {
  seriesId: number;
  /** The scope that failed in `partial` runs; or `wholeRun`, or `notComplete`. */
  scopeId: number;
  /** First and last slot, epoch ms. */
  fromSlot: number;
  toSlot: number;
  slots: number;
  cause: string;
}

/** The columns of a `Gap` in SQL. */
export const gapColumns =
  "series_id as seriesId, scope_id as scopeId, from_slot as fromSlot, to_slot as toSlot, slots, cause";

/** Updates the table of gaps inside the transactions that change the run ledger. */
export interface GapKeeper {
  /** Divides the gaps around this slot, at which a run was added. */
  runAdded(seriesId: number, slot: number): void;
  /** Removes this slot from its gaps: its run was `missed`, and is running now. */
  runReclaimed(seriesId: number, slot: number): void;
  /** Adds a run to the gaps once its final state and its failed snapshots are stored. */
  runEnded(runId: number): void;
}

/** Returns the keeper of the table of gaps on a connection. */
export function createGapKeeper(sqlite: Sqlite): GapKeeper {
  const { find, remove, insert, dueRuns, allRuns, laterRun, scopesOf, runOf } = prepare(sqlite);
  const causesOf = causeReader(sqlite);
  const runsOf = (scopeId: number) => (scopeId === notComplete ? allRuns : dueRuns);

  function replace({ removed, added }: GapChange): void {
    for (const { seriesId, scopeId, fromSlot } of removed) remove.run(seriesId, scopeId, fromSlot);
    for (const gap of added) insert.run(gap);
  }

  /** Splits a gap around a slot; `members` is the number of its slots without that one. */
  function divide(gap: Gap, slot: number, members: number): void {
    const { before, after, count } = runsOf(gap.scopeId);
    const right = count.get(gap.seriesId, slot, gap.toSlot) ?? 0;
    const [left, next] = [before.get(gap.seriesId, slot), after.get(gap.seriesId, slot)];
    replace(dividedGap(gap, { members, right, before: left ?? null, after: next ?? null }));
  }

  /** Joins a slot to the adjacent gaps with the same cause. */
  function join(seriesId: number, scopeId: number, slot: number, cause: string): void {
    const { before, after } = runsOf(scopeId);
    const neighbours = [before.get(seriesId, slot), after.get(seriesId, slot)].map((run) =>
      run == null ? null : { slot: run, gap: find.get(seriesId, scopeId, run) ?? null },
    );
    replace(joinedGap({ seriesId, scopeId, slot, cause }, neighbours));
  }

  return {
    runAdded(seriesId, slot) {
      // Nearly always this is the newest run, which is in no gap.
      if (laterRun.get(seriesId, slot) === undefined) return;
      for (const scopeId of scopesAround(slot, scopesOf.all(seriesId))) {
        const gap = find.get(seriesId, scopeId, slot);
        if (gap && gap.toSlot > slot) divide(gap, slot, gap.slots);
      }
    },
    runReclaimed(seriesId, slot) {
      for (const scopeId of scopesAround(slot, [])) {
        const gap = find.get(seriesId, scopeId, slot);
        if (gap && gap.toSlot >= slot) divide(gap, slot, gap.slots - 1);
      }
    },
    runEnded(runId) {
      const run = runOf.get(runId);
      if (run) for (const [scopeId, cause] of causesOf(run)) join(run.seriesId, scopeId, run.slot, cause);
    },
  };
}

/** The gaps of a scope that a change of the run ledger removes and adds. */
export interface GapChange {
  removed: readonly Gap[];
  added: readonly Gap[];
}

/**
 * Splits a gap around a slot in it. `members` is the number of its slots without that one, `right` of those after it; `before` and
 * `after` are the nearest slots of the series that have a run.
 */
export function dividedGap(
  gap: Gap,
  { members, right, before, after }: { members: number; right: number; before: number | null; after: number | null },
): GapChange {
  const left = members - right;
  const added: Gap[] = [];
  if (left > 0 && before !== null) added.push({ ...gap, toSlot: before, slots: left });
  if (right > 0 && after !== null) added.push({ ...gap, fromSlot: after, slots: right });
  return { removed: [gap], added };
}

/** The nearest slot of the series before or after another, and the last gap that begins at or before it; null if there is none. */
export interface Neighbour {
  slot: number;
  gap: Gap | null;
}

/** Joins a slot to the gaps of its neighbours with the same cause. `neighbours` are the one before and the one after it. */
export function joinedGap(
  { seriesId, scopeId, slot, cause }: Pick<Gap, "seriesId" | "scopeId" | "cause"> & { slot: number },
  neighbours: readonly (Neighbour | null)[],
): GapChange {
  const [left, right] = neighbours.map((one) =>
    one?.gap && one.gap.toSlot >= one.slot && one.gap.cause === cause ? one.gap : null,
  );
  const slots = (left?.slots ?? 0) + 1 + (right?.slots ?? 0);
  const joined = { seriesId, scopeId, fromSlot: left?.fromSlot ?? slot, toSlot: right?.toSlot ?? slot, slots, cause };
  return { removed: [left, right].filter((gap) => gap != null), added: [joined] };
}

/** Returns the scopes whose gaps a slot divides. `scopeIds` are those of its series. */
export const scopesAround = (slot: number, scopeIds: readonly number[]): number[] =>
  isDueSlot(slot) ? [notComplete, wholeRun, ...scopeIds] : [notComplete];

function prepare(sqlite: Sqlite) {
  const slot = <Given extends unknown[]>(query: string) => sqlite.prepare<Given, number>(query).pluck();
  const runsWhere = (condition: string) => ({
    before: slot<[number, number]>(`select max(slot) from run where series_id = ? and slot < ? and ${condition}`),
    after: slot<[number, number]>(`select min(slot) from run where series_id = ? and slot > ? and ${condition}`),
    count: slot<[number, number, number]>(
      `select count(*) from run where series_id = ? and slot > ? and slot <= ? and ${condition}`,
    ),
  });
  return {
    /** Finds the last gap that begins at or before a slot. */
    find: sqlite.prepare<[number, number, number], Gap>(
      `select ${gapColumns} from gap where series_id = ? and scope_id = ? and from_slot <= ? order by from_slot desc limit 1`,
    ),
    remove: sqlite.prepare("delete from gap where series_id = ? and scope_id = ? and from_slot = ?"),
    insert: sqlite.prepare(
      `insert into gap (series_id, scope_id, from_slot, to_slot, slots, cause)
       values (@seriesId, @scopeId, @fromSlot, @toSlot, @slots, @cause)`,
    ),
    dueRuns: runsWhere(isDueSql("slot")),
    allRuns: runsWhere("true"),
    laterRun: slot<[number, number]>("select 1 from run where series_id = ? and slot > ? limit 1"),
    scopesOf: slot<[number]>("select id from scope where series_id = ?"),
    runOf: sqlite.prepare<[number], RunRow>(
      "select id, series_id as seriesId, slot, state, cause from run where id = ?",
    ),
  };
}

interface RunRow {
  id: number;
  seriesId: number;
  slot: number;
  state: string;
  cause: string | null;
}

const badStates = ["missed", "skipped", "failed"];

/** A failed snapshot of a run: its scope and its error code. */
export type FailedScope = readonly [scopeId: number, cause: string];

/** Returns the causes for which a run belongs to gaps, by scope; empty if it belongs to none. `failed` are the failed snapshots of a partial run. */
export function gapCauses({ slot, state, cause }: Omit<RunRow, "id" | "seriesId">, failed: readonly FailedScope[]) {
  const isBad = badStates.includes(state);
  if (!isBad && state !== "partial") return new Map<number, string>();
  const causes = new Map<number, string>([[notComplete, ""]]);
  if (!isDueSlot(slot)) return causes;
  if (isBad) return causes.set(wholeRun, cause ?? state);
  return new Map([...causes, ...failed]);
}

/** Returns a function that gives the causes for which a run belongs to gaps, by scope; empty if it belongs to none. */
function causeReader(sqlite: Sqlite): (run: RunRow) => Map<number, string> {
  const failures = sqlite
    .prepare<[number], FailedScope>(
      "select scope_id, error_code from snapshot where run_id = ? and error_code is not null order by id",
    )
    .raw();
  return (run) => gapCauses(run, run.state === "partial" ? failures.all(run.id) : []);
}

/** Runs read before yielding to the event loop. */
const runsPerStep = 1000;

/** Computes every gap of a series from its runs, with pauses in between. */
export function* computeGaps(sqlite: Sqlite, seriesId: number): Paced<Gap> {
  const causesOf = causeReader(sqlite);
  const runs = sqlite
    .prepare<[number], RunRow>(
      "select id, series_id as seriesId, slot, state, cause from run where series_id = ? order by slot",
    )
    .iterate(seriesId);
  const open = new Map<number, Gap>();
  let read = 0;
  for (const run of runs) {
    const causes = causesOf(run);
    for (const [scopeId, gap] of open) {
      const isOther = scopeId !== notComplete && !isDueSlot(run.slot);
      if (isOther || causes.get(scopeId) === gap.cause) continue;
      open.delete(scopeId);
      yield gap;
    }
    for (const [scopeId, cause] of causes) {
      const gap = open.get(scopeId) ?? { seriesId, scopeId, fromSlot: run.slot, toSlot: run.slot, slots: 0, cause };
      open.set(scopeId, { ...gap, toSlot: run.slot, slots: gap.slots + 1 });
    }
    read += 1;
    if (read % runsPerStep === 0) yield pause;
  }
  yield* open.values();
}

/** Fills the table in a database that was created without one. */
export function fillGaps(sqlite: Sqlite): void {
  const { insert } = prepare(sqlite);
  for (const seriesId of sqlite.prepare<[], number>("select id from series").pluck().all()) {
    const gaps: Gap[] = [];
    // A connection cannot write while one of its statements is being iterated.
    for (const gap of computeGaps(sqlite, seriesId)) if (gap !== pause) gaps.push(gap);
    for (const gap of gaps) insert.run(gap);
  }
}
