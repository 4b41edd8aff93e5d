/** Checks the run ledger: runs against their snapshots, slots against schedules, scopes against their last complete run. */
import { type Pattern, parsePattern, slotsAfter } from "../../core/cron.ts";
import { isDueSql } from "../runs/slot-counts.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { Report } from "./problem.ts";

/** Checks that the state and row count of each run follow from its snapshots. Pruned snapshots were good ones. */
export function checkRuns(sqlite: Sqlite, report: Report): void {
  const contradictory = sqlite
    .prepare(
      `select r.id, r.slot, r.state, r.rows as recorded, coalesce(n.shown, 0) as stored,
         coalesce(n.every, 0) as snapshots, coalesce(n.failed, 0) as failures, coalesce(n.pruned, 0) as pruned
       from run r left join (
         select run_id, sum(rows) as shown, count(*) as every, count(error_code) as failed, sum(is_pruned) as pruned from (
           select run_id, rows, error_code, 0 as is_pruned from snapshot union all select run_id, 0, null, 1 from pruned
         ) group by run_id
       ) n on n.run_id = r.id
       where case r.state
         when 'ok' then failures > 0 or snapshots = 0
         when 'partial' then failures = 0 or snapshots = failures
         when 'failed' then snapshots > failures
         else snapshots > 0 end or (pruned = 0 and coalesce(recorded, 0) <> stored)`,
    )
    .iterate() as IterableIterator<{
    id: number;
    slot: number;
    state: string;
    recorded: number | null;
    stored: number;
    pruned: number;
  }>;
  for (const { id, slot, state, recorded, stored, pruned } of contradictory) {
    if ((recorded ?? 0) !== stored && pruned === 0)
      report(`run ${id} (run.rows): is ${recorded}, but its snapshots have ${stored} rows`, slot);
    else report(`run ${id} (run.state): is ${state}, which does not follow from its snapshots`, slot);
  }
}

/** Checks that a scope was retired by the first complete run that did not request it, and not otherwise. */
export function checkScopes(sqlite: Sqlite, report: Report): void {
  const scopes = sqlite
    .prepare(
      `select p.id, p.until, p.series_id as seriesId, a.name || ' ' || e.dataset || ' ' || p.product_type as name,
         (select max(n.id) from snapshot n where n.scope_id = p.id) as last
       from scope p join series e on e.id = p.series_id join account a on a.id = e.account_id`,
    )
    .all() as { id: number; until: number | null; seriesId: number; name: string; last: number | null }[];
  const retired = sqlite
    .prepare(
      `select r.slot + r.late_ms + r.took_ms
       from (select id, run_id from snapshot union all select id, run_id from pruned) n join run r on r.id = n.run_id
       where n.id > $last and r.series_id = $seriesId and r.state = 'ok'
         and r.id <> (select run_id from snapshot where id = $last)
       order by n.id limit 1`,
    )
    .pluck();
  for (const { id, until, seriesId, name, last } of scopes) {
    const expected = (retired.get({ last, seriesId }) as number | undefined) ?? null;
    if (until !== expected) report(`${name.trim()}: scope ${id} (scope.until): is ${until}, expected ${expected}`);
  }
}

/** The number of due slots in a database. */
export interface SlotTotals {
  /** Due slots of every schedule, up to the watermark of each series. */
  due: number;
  /** Due slots that have a run. */
  accounted: number;
}

interface Period {
  seriesId: number;
  name: string;
  since: number;
  until: number | null;
  pattern: string;
  processedThrough: number | null;
}

/** Enumerates every due slot and reports those without a run. Returns the totals. */
export function checkSlots(sqlite: Sqlite, report: Report): SlotTotals {
  const total: SlotTotals = { due: 0, accounted: 0 };
  const periods = sqlite
    .prepare(
      `select e.id as seriesId, a.name || ' ' || e.dataset as name, c.since, c.until, c.pattern, e.accounted_to as processedThrough
       from series e join account a on a.id = e.account_id left join schedule c on c.series_id = e.id order by e.id, c.since`,
    )
    .all() as (Period | (Period & { pattern: null }))[];
  // After a wrong clock, a schedule may end before it began, and slots may be in the future.
  const inconsistent = new Set(
    periods.filter(({ since, until }) => until !== null && until < since).map((one) => one.seriesId),
  );
  for (const [at, period] of periods.entries()) {
    const pattern = patternOf(period, report);
    if (!pattern) continue;
    const { due, accounted, last } = accountFor(sqlite, pattern, period, report);
    total.due += due;
    total.accounted += accounted;
    const isLast = periods[at + 1]?.seriesId !== period.seriesId;
    if (isLast && !inconsistent.has(period.seriesId)) checkWatermark(sqlite, pattern, period, last, report);
  }
  return total;
}

function patternOf({ name, pattern }: Period, report: Report): Pattern | null {
  try {
    return pattern === null ? null : parsePattern(pattern);
  } catch (error) {
    report(`${name} (schedule.pattern): ${(error as Error).message}`);
    return null;
  }
}

/** A schedule is no longer checked after this many slots without a run. */
const maxMissingSlots = 1000;

function accountFor(sqlite: Sqlite, pattern: Pattern, period: Period, report: Report): SlotTotals & { last: number } {
  const { seriesId, name, since, until, processedThrough } = period;
  const end = until ?? processedThrough ?? since;
  const found = { due: 0, accounted: 0, last: since };
  const runs = sqlite
    .prepare("select slot from run where series_id = ? and slot > ? and slot <= ? order by slot")
    .pluck()
    .iterate(seriesId, since, end) as IterableIterator<number>;
  let run = runs.next();
  for (const slot of slotsAfter(pattern, since)) {
    if (slot > end) break;
    found.due += 1;
    while (!run.done && run.value < slot) run = runs.next();
    if (!run.done && run.value === slot) {
      found.accounted += 1;
      found.last = slot;
    } else if (found.due - found.accounted === 1) report(`${name} (run): was due, but has no run`, slot);
    if (found.due - found.accounted > maxMissingSlots) break;
  }
  runs.return?.();
  return found;
}

/** A manual run began within this time of its slot; few scheduled runs do. Milliseconds. */
const manualStartMs = 10;

/**
 * Checks the watermark: the last slot of the schedule in force that has a run, or the end of the last schedule. Manual runs do not
 * move it. In older versions a manual run could have the slot that was due next, since its slot could be a whole second.
 */
function checkWatermark(sqlite: Sqlite, pattern: Pattern, period: Period, last: number, report: Report): void {
  const { seriesId, name, until, processedThrough } = period;
  const later = sqlite
    .prepare<[number, number], { slot: number; lateMs: number | null }>(
      `select slot, late_ms as lateMs from run
       where series_id = ? and slot > ? and ${isDueSql("slot")} order by slot limit 1000`,
    )
    .all(seriesId, processedThrough ?? 0)
    .filter(({ slot }) => pattern.latest(slot) === slot);
  const expected = until ?? later.at(-1)?.slot ?? last;
  const mayBeManual =
    later.length === 1 && (later[0]?.lateMs ?? manualStartMs) < manualStartMs && processedThrough === last;
  if (until === null && mayBeManual) return;
  if (processedThrough !== expected)
    report(`${name} (series.accounted_to): is ${processedThrough}, expected ${expected}`);
}
