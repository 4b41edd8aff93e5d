/** Counts the due slots of a period and their outcomes from the run ledger. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { graceAt, parsePattern, slotsAfter } from "../../core/cron.ts";
import { causes, type RunState } from "../../core/domain.ts";
import type { RunHistory, SchedulePeriod, Series, SlotRange, Span } from "../history.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** Returns the SQL condition that a slot (epoch ms) is a scheduled one. Scheduled slots are whole seconds, those of manual runs are not. */
export const isDueSql = (slot: string): string => `${slot} % 1000 = 0`;

/** The cause given for slots that have passed without a row, for example while no daemon is running. */
export const notWritten = "not written yet";

/** Returns the series that `RunHistory.series` describes. */
export const listSeries = (sqlite: Sqlite, account: string | null): Series[] =>
  sqlite
    .prepare<{ account: string | null }, Series>(
      `select * from (
         select e.id, a.name as account, e.dataset, a.id as account_id, min(
           coalesce((select min(slot) from run where series_id = e.id), 9e15),
           coalesce((select min(since) from schedule where series_id = e.id), 9e15)) as firstAt
         from series e join account a on a.id = e.account_id where @account is null or a.name = @account)
       where firstAt < 9e15 order by account_id, id`,
    )
    .all({ account });

/** Returns the slot of the first run; null if there is no run. */
export const firstSlot = (sqlite: Sqlite): number | null =>
  sqlite.prepare("select min((select min(slot) from run where series_id = e.id)) from series e").pluck().get() as
    | number
    | null;

/** Returns true if any slot of the span has a run. */
export const hasRuns = (sqlite: Sqlite, { from, to }: Span): boolean =>
  sqlite
    .prepare(
      "select 1 from series e where exists (select 1 from run where series_id = e.id and slot >= ? and slot < ?) limit 1",
    )
    .get(from, to) !== undefined;

/** Returns the slot that `RunHistory.firstOpenSlot` describes. */
export function firstOpenSlot(sqlite: Sqlite, seriesIds?: readonly number[]): number {
  const of = { ids: seriesIds ? JSON.stringify(seriesIds) : null };
  const isOne = (id: string) => `(@ids is null or ${id} in (select value from json_each(@ids)))`;
  const running = sqlite
    .prepare<unknown[], number | null>(`select min(slot) from run where state = 'running' and ${isOne("series_id")}`)
    .pluck()
    .get(of);
  const open = sqlite
    .prepare<unknown[], { pattern: string; processedThrough: number }>(
      `select c.pattern, max(coalesce(e.accounted_to, 0), c.since) as processedThrough
       from schedule c join series e on e.id = c.series_id where c.until is null and ${isOne("e.id")}`,
    )
    .all(of);
  const next = open.map(({ pattern, processedThrough }) => parsePattern(pattern).next(processedThrough));
  return Math.min(running ?? Number.POSITIVE_INFINITY, ...next);
}

/** Returns every schedule that a series has had, oldest first. */
export const schedulesOf = (sqlite: Sqlite, seriesId: number): SchedulePeriod[] =>
  sqlite
    .prepare<[number], { pattern: string; since: number; until: number | null }>(
      "select pattern, since, until from schedule where series_id = ? order by since",
    )
    .all(seriesId)
    .map(({ pattern, since, until }) => ({
      pattern: parsePattern(pattern),
      since,
      until: until ?? Number.POSITIVE_INFINITY,
    }));

/** Rows read before yielding to the event loop: a few milliseconds. */
const rowsPerStep = 500;

/** Slots counted before yielding to the event loop: about a millisecond. */
const slotsPerStep = 10_000;

/** Prepares the statements of `countSlots`. */
export function prepareSlotCount(sqlite: Sqlite): RunHistory["countSlots"] {
  const written = sqlite.prepare<[number, number, number], { state: RunState; cause: string; slots: number }>(
    `select state, coalesce(cause, state) as cause, count(*) as slots from run
     where series_id = ? and slot >= ? and slot < ? and ${isDueSql("slot")} and state <> 'running'
     group by state, coalesce(cause, state)`,
  );
  const stepEnd = sqlite
    .prepare<[number, number, number], number>(
      `select slot from run where series_id = ? and slot >= ? and slot < ? order by slot limit 1 offset ${rowsPerStep}`,
    )
    .pluck();
  return function* (seriesId, { from, to }, now) {
    const counts = { due: 0, ok: 0, partial: 0, failed: 0, missed: 0, skipped: 0 };
    const bad = new Map<string, number>();
    const add = (state: RunState, cause: string, slots: number) => {
      if (slots === 0 || state === "running") return;
      counts.due += slots;
      counts[state] += slots;
      if (state !== "ok") bad.set(cause, (bad.get(cause) ?? 0) + slots);
    };
    for (let begin = from; begin < to; ) {
      const end = stepEnd.get(seriesId, begin, to) ?? to;
      for (const { state, cause, slots } of written.all(seriesId, begin, end)) add(state, cause, slots);
      begin = end;
      if (begin < to) yield pause;
    }
    const schedules = schedulesOf(sqlite, seriesId);
    const unwritten = yield* unwrittenBetween(sqlite, seriesId, { from, to }, now);
    if (unwritten) add("missed", notWritten, unwritten.slots);
    return {
      ...counts,
      causes: [...bad].sort(([, a], [, b]) => b - a),
      alwaysScheduled: isScheduledThroughout(schedules, from, to),
      offered: counts.skipped === 0 || counts.due > (bad.get(causes.notOffered) ?? 0),
    };
  };
}

/** Returns the slots that `RunHistory.unwrittenSlots` describes. */
export const unwrittenSlots = (sqlite: Sqlite, seriesId: number, now: number): Steps<SlotRange | null> =>
  unwrittenBetween(sqlite, seriesId, { from: 0, to: Number.POSITIVE_INFINITY }, now);

/**
 * Returns the slots of a span that have passed by `now` and have no row, because they are after the watermark; null if there are none.
 * The last one counts only after its grace period.
 */
function* unwrittenBetween(sqlite: Sqlite, seriesId: number, { from, to }: Span, now: number): Steps<SlotRange | null> {
  const last = schedulesOf(sqlite, seriesId).at(-1);
  if (last?.until !== Number.POSITIVE_INFINITY) return null;
  const { pattern, since } = last;
  const processedThrough = sqlite
    .prepare<[number], number>("select coalesce(accounted_to, 0) from series where id = ?")
    .pluck()
    .get(seriesId);
  const after = Math.max(since, processedThrough ?? 0, from - 1);
  const latest = pattern.latest(now);
  const end = Math.min(now - latest > graceAt(pattern, latest) ? latest : latest - 1, to - 1);
  const fromSlot = pattern.next(after);
  if (fromSlot > end) return null;
  const found = { fromSlot, toSlot: fromSlot, slots: 0 };
  for (const slot of slotsAfter(pattern, after)) {
    if (slot > end) break;
    found.toSlot = slot;
    found.slots += 1;
    if (found.slots % slotsPerStep === 0) yield pause;
  }
  return found;
}

/** Returns true if schedules cover the period from its first slot to its last without a break. */
function isScheduledThroughout(schedules: readonly SchedulePeriod[], from: number, to: number): boolean {
  const within = schedules.filter(({ since, until }) => since < to && until >= from);
  const [first, last] = [within[0], within.at(-1)];
  if (!first || !last) return false;
  const isWhole = first.pattern.next(from - 1) > first.since && last.pattern.latest(to - 1) <= last.until;
  return isWhole && within.every(({ since }, at) => at === 0 || since === within[at - 1]?.until);
}
