/** Defines the tables of data health: state of each dataset, its last error, and the outcomes of its slots. */
import { pause, type Steps } from "../../../core/async/cooperate.ts";
import { causes, publicAccount } from "../../../core/domain.ts";
import { namesByText } from "../../../core/text.ts";
import { dayMs, hourMs } from "../../../core/time.ts";
import { instantText } from "../../../queries/close.ts";
import { createCoverage } from "../../../queries/coverage.ts";
import { localText, type Period, periodOf, periodsOf, startOfDate } from "../../../queries/periods.ts";
import type { LastFailure, Series, SlotCounts } from "../../../store/history.ts";
import { notWritten } from "../../../store/runs/slot-counts.ts";
import { badRequest } from "../../site.ts";
import { daysShown } from "../comparison-periods.ts";
import { count, type DataTable, instant, text, type View } from "../table.ts";

export const collection: DataTable = {
  name: "collection",
  summary: "the state of each dataset: last complete run, next run, last error",
  columns: [
    text("account", "Account"),
    text("dataset", "Dataset"),
    text("state", "State"),
    instant("last_ok_at", "Last success"),
    instant("next_at", "Next run"),
    text("schedule", "Schedule, UTC"),
    instant("trouble_at", "Last error"),
    text("trouble", "Reason"),
  ],
  *rows({ history, account, at, isNow }) {
    for (const series of history.scheduled(isNow ? null : at)) {
      if (!isSelected(series, account)) continue;
      const status = isNow ? history.freshnessNow(series, at) : history.freshnessAt(series, at);
      const failure = history.lastFailure(series.id, at);
      // What has no row yet is later than every failure.
      const unwritten = yield* history.unwrittenSlots(series.id, at);
      yield {
        account: status.account,
        dataset: status.dataset,
        state: status.offered ? (status.fresh ? "fresh" : "stale") : "not offered",
        last_ok_at: instantText(status.lastOkAt),
        next_at: instantText(status.nextAt),
        schedule: status.schedule,
        trouble_at: instantText(unwritten?.toSlot ?? failure?.slot ?? null),
        trouble: unwritten ? (causeDescriptions[notWritten] ?? null) : failure && describeFailure(failure),
      };
      yield pause;
    }
  },
};

/** The processes that record into the PostgreSQL of which the database is a mirror. They are not history: a chosen instant has none. */
export const workers: DataTable = {
  name: "workers",
  summary:
    "the processes that record into PostgreSQL; empty where the history is recorded into a file, and for an instant",
  columns: [
    text("worker", "Worker"),
    text("state", "State"),
    instant("seen_at", "Last seen"),
    text("version", "Version"),
    count("accounts", "Accounts"),
    count("running", "Running"),
    instant("paused_until", "Paused until"),
  ],
  *rows({ history, at, isNow }) {
    for (const { name, state, seenAt, version, accounts, running, pausedUntil } of isNow ? history.workers(at) : [])
      yield {
        worker: name,
        state,
        seen_at: instantText(seenAt),
        version,
        accounts: BigInt(accounts),
        running: running === null ? null : BigInt(running),
        paused_until: instantText(pausedUntil),
      };
  },
};

/** Explains each cause of a slot without a snapshot. */
export const causeDescriptions: Record<string, string> = {
  [causes.tooLate]: "The slot was reached too late to be run.",
  [causes.overlap]: "The previous run was still in progress.",
  [causes.notRunning]: "The collector was not running.",
  [causes.asleep]: "The machine was asleep, or its clock was set forward.",
  [causes.blocked]: "The process was blocked or got no CPU time.",
  [causes.unconfirmed]: "The exchange had not confirmed this machine's clock.",
  [causes.storage]: "The database could not be written.",
  [causes.notOffered]: "Not available for this type of account.",
  [causes.forgotten]: "The exchange deleted the records before they were read.",
  [causes.switchedOff]: "The dataset had no schedule, and the exchange has deleted the records since.",
  [causes.imported]: "Imported from files.",
  [notWritten]: "The collector is not running, or is blocked; it has recorded nothing since.",
};

/** Joins messages; product types with the same one are named before it together. */
function joined(messages: readonly string[]): string {
  const parts = messages.map((message): [string, string | null] => {
    const [, scope, text] = /^(\w+): (.*)$/s.exec(message) ?? [];
    return text === undefined ? [message, null] : [text, scope ?? null];
  });
  return namesByText(parts)
    .map(([text, scopes]) => (scopes.length > 0 ? `${scopes.join(", ")}: ${text}` : text))
    .join(" ");
}

/** Returns the error messages of the last failure, or without any an explanation of its cause. */
export function describeFailure({ state, cause, messages }: LastFailure): string {
  if (messages.length > 0) return joined(messages);
  return (cause !== null && Object.hasOwn(causeDescriptions, cause) && causeDescriptions[cause]) || cause || state;
}

/** The outcomes of the slots of each dataset, one row per local day, newest first. */
export const slots: DataTable = {
  name: "slots",
  summary: "the outcomes of due slots, per day and dataset, over 31 days; with `day` per hour of that day",
  columns: [
    text("day", "Day"),
    text("account", "Account"),
    text("dataset", "Dataset"),
    count("slots", "Due"),
    count("ok", "OK"),
    count("partial", "Partial"),
    count("failed", "Failed"),
    count("missed", "Missed"),
    count("skipped", "Skipped"),
    text("coverage", "Coverage"),
    text("causes", "Causes"),
  ],
  *rows(view) {
    const { word } = createCoverage({ history: view.history, account: view.account, now: view.at });
    const day = shownDay(view);
    for (const { period, series, counts } of yield* countSlots(view, day ? hoursOf(day, view) : lastDays(view)))
      yield {
        day: period.name,
        account: series.account,
        dataset: series.dataset,
        ...withBigints(counts),
        slots: BigInt(counts.due),
        coverage: word(period, counts),
        causes: counts.causes.map(([cause, slots]) => `${cause}: ${slots}`).join("; ") || null,
      };
  },
};

const withBigints = ({ ok, partial, failed, missed, skipped }: SlotCounts) =>
  Object.fromEntries(Object.entries({ ok, partial, failed, missed, skipped }).map(([name, n]) => [name, BigInt(n)]));

/** The outcomes of the slots of one series in one period. */
export interface PeriodCounts {
  period: Period;
  series: Series;
  counts: SlotCounts;
}

/** Returns the last 31 local days up to the shown instant, newest first. */
export function lastDays({ at, timezone }: View): Period[] {
  const { to } = periodOf(timezone, "day", at);
  return [...periodsOf({ timezone, by: "day", from: to - daysShown * dayMs, to })].slice(-daysShown).reverse();
}

/** Returns the day of the parameter `day`, which is shown by hour; null without it. @throws HTTPException 400 */
export function shownDay({ params: { day }, timezone, at }: View): Period | null {
  if (day === undefined) return null;
  const start = startOfDate(day, timezone);
  if (start === null) throw badRequest('"day" must be a date such as 2026-11-01.');
  if (start > at) throw badRequest('"day" is in the future.');
  return periodOf(timezone, "day", start);
}

/** Returns the hours of a local day: 23 or 25 when daylight saving time changes. */
export const hoursOf = ({ from: start, to: end }: Period, { timezone }: Pick<View, "timezone">): Period[] =>
  Array.from({ length: Math.ceil((end - start) / hourMs) }, (_, hour) => {
    const from = start + hour * hourMs;
    return { name: localText(from, timezone).slice(0, 16), from, to: Math.min(end, from + hourMs) };
  });

/** Caches the counts of periods whose slots are all closed, which never change. The key contains the path of the database. */
const closedCounts = new Map<string, SlotCounts>();
const maxClosedCounts = 20_000;

/** Counts the outcomes of the slots of every selected series in each period. */
export function* countSlots({ history, account, at }: View, periods: readonly Period[]): Steps<PeriodCounts[]> {
  const { counts } = createCoverage({ history, account: null, now: at });
  const all = history.series(null).filter((one) => isSelected(one, account));
  const firstOpenSlot = Math.min(at, history.firstOpenSlot());
  const found: PeriodCounts[] = [];
  for (const period of periods) {
    const isOver = period.to <= firstOpenSlot;
    for (const series of all) {
      if (series.firstAt >= period.to || period.from > at) continue;
      const name = `${history.path} ${series.id} ${series.firstAt} ${period.from} ${period.to}`;
      const known = isOver ? closedCounts.get(name) : undefined;
      // Of the shown instant's own day or hour, what is due until then.
      const own = known ?? (yield* counts({ ...period, to: Math.min(period.to, at + 1) }, series));
      if (closedCounts.size > maxClosedCounts) closedCounts.clear();
      if (isOver) closedCounts.set(name, own);
      found.push({ period, series, counts: own });
      yield pause;
    }
  }
  return found;
}

/** Returns true if a series is of the selected account, or of the public data. */
export const isSelected = (one: { account: string }, account: string | null): boolean =>
  account === null || one.account === account || one.account === publicAccount;
