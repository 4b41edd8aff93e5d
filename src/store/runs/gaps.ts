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

export function createGapKeeper(sqlite: Sqlite): GapKeeper {
  const { find, remove, insert, dueRuns, allRuns, laterRun, scopesOf, runOf } = prepare(sqlite);
  const causesOf = causeReader(sqlite);
  const runsOf = (scopeId: number) => (scopeId === notComplete ? allRuns : dueRuns);

  /** Splits a gap around a slot; `members` is the number of its slots without that one. */
  function divide({ seriesId, scopeId, fromSlot, toSlot, cause }: Gap, slot: number, members: number): void {
    const { before, after, count } = runsOf(scopeId);
    const right = count.get(seriesId, slot, toSlot) ?? 0;
    const left = members - right;
    remove.run(seriesId, scopeId, fromSlot);
    if (left > 0) insert.run(seriesId, scopeId, fromSlot, before.get(seriesId, slot), left, cause);
    if (right > 0) insert.run(seriesId, scopeId, after.get(seriesId, slot), toSlot, right, cause);
  }

  /** Joins a slot to the adjacent gaps with the same cause. */
  function join(seriesId: number, scopeId: number, slot: number, cause: string): void {
    const adjacent = (neighbour: number | undefined) => {
      const gap = neighbour === undefined ? undefined : find.get(seriesId, scopeId, neighbour);
      return gap && gap.toSlot >= (neighbour ?? 0) && gap.cause === cause ? gap : undefined;
    };
    const { before, after } = runsOf(scopeId);
    const left = adjacent(before.get(seriesId, slot));
    const right = adjacent(after.get(seriesId, slot));
    for (const gap of [left, right]) if (gap) remove.run(seriesId, scopeId, gap.fromSlot);
    const slots = (left?.slots ?? 0) + 1 + (right?.slots ?? 0);
    insert.run(seriesId, scopeId, left?.fromSlot ?? slot, right?.toSlot ?? slot, slots, cause);
  }

  return {
    runAdded(seriesId, slot) {
      // Nearly always this is the newest run, which is in no gap.
      if (laterRun.get(seriesId, slot) === undefined) return;
      const divided = isDueSlot(slot) ? [notComplete, wholeRun, ...scopesOf.all(seriesId)] : [notComplete];
      for (const scopeId of divided) {
        const gap = find.get(seriesId, scopeId, slot);
        if (gap && gap.toSlot > slot) divide(gap, slot, gap.slots);
      }
    },
    runReclaimed(seriesId, slot) {
      for (const scopeId of isDueSlot(slot) ? [notComplete, wholeRun] : [notComplete]) {
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
      "insert into gap (series_id, scope_id, from_slot, to_slot, slots, cause) values (?, ?, ?, ?, ?, ?)",
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

/** Returns a function that gives the causes for which a run belongs to gaps, by scope; empty if it belongs to none. */
function causeReader(sqlite: Sqlite): (run: RunRow) => Map<number, string> {
  const failures = sqlite
    .prepare<[number], [number, string]>(
      "select scope_id, error_code from snapshot where run_id = ? and error_code is not null order by id",
    )
    .raw();
  return ({ id, slot, state, cause }) => {
    if (!isDueSlot(slot)) return new Map(state === "partial" || badStates.includes(state) ? [[notComplete, ""]] : []);
    if (state === "partial") return new Map([[notComplete, ""], ...failures.all(id)]);
    return new Map(
      badStates.includes(state)
        ? [
            [notComplete, ""],
            [wholeRun, cause ?? state],
          ]
        : [],
    );
  };
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
  const insert = sqlite.prepare(
    `insert into gap (series_id, scope_id, from_slot, to_slot, slots, cause)
     values (@seriesId, @scopeId, @fromSlot, @toSlot, @slots, @cause)`,
  );
  for (const seriesId of sqlite.prepare<[], number>("select id from series").pluck().all()) {
    const gaps: Gap[] = [];
    // A connection cannot write while one of its statements is being iterated.
    for (const gap of computeGaps(sqlite, seriesId)) if (gap !== pause) gaps.push(gap);
    for (const gap of gaps) insert.run(gap);
  }
}
