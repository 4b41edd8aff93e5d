/** How collecting goes: per account and dataset, read from the ledger. */
import { graceAt, type Pattern, parsePattern, periodAt } from "../cron.ts";
import { causes, type DatasetName, type RunState } from "../domain.ts";
import { openReadOnly, type Sqlite } from "./sqlite.ts";

export interface OpenFailure {
  productType: string | null;
  code: string;
  message: string;
}

export interface SeriesStatus {
  account: string;
  dataset: DatasetName;
  /** The cron pattern in force, UTC. */
  schedule: string;
  /** The slot of the last run that was complete; null before the first. Epoch ms. */
  lastOkAt: number | null;
  /** Since the last complete run. Milliseconds. */
  ageMs: number | null;
  nextAt: number;
  /** False where the last complete run is more than two periods ago. */
  fresh: boolean;
  /** The account's API generation has no such data; nothing is missing. */
  offered: boolean;
  /** Share of the due slots with a complete run, from 0 to 1; null where none was due. */
  coverage: { day: number | null; week: number | null; month: number | null };
  /** What is wrong with the last run, if anything. */
  failures: OpenFailure[];
}

const day = 86_400_000;

/** The state of everything that is scheduled, at `now`. @throws ConfigError where there is no database of ours */
export function readStatus(path: string, now: number): SeriesStatus[] {
  const sqlite = openReadOnly(path);
  try {
    return scheduled(sqlite).map((series) => statusOf(sqlite, series, now));
  } finally {
    sqlite.close();
  }
}

interface Scheduled {
  id: number;
  account: string;
  dataset: DatasetName;
  pattern: string;
  since: number;
  accountedTo: number;
}

const scheduled = (sqlite: Sqlite): Scheduled[] =>
  sqlite
    .prepare(
      `select s.id, a.name as account, s.dataset, c.pattern, c.since, coalesce(s.accounted_to, c.since) as accountedTo
       from schedule c join series s on s.id = c.series_id join account a on a.id = s.account_id
       where c.until is null order by a.id, s.id`,
    )
    .all() as Scheduled[];

function statusOf(sqlite: Sqlite, series: Scheduled, now: number): SeriesStatus {
  const pattern = parsePattern(series.pattern);
  const last = sqlite
    .prepare(
      "select id, state, cause from run where series_id = ? and slot <= ? and state <> 'running' order by slot desc limit 1",
    )
    .get(series.id, now) as { id: number; state: RunState; cause: string | null } | undefined;
  const lastOkAt = sqlite
    .prepare("select slot from run where series_id = ? and slot <= ? and state = 'ok' order by slot desc limit 1")
    .pluck()
    .get(series.id, now) as number | undefined;
  const offered = !(last?.state === "skipped" && last.cause === causes.notOffered);
  const oldest = now - 2 * periodAt(pattern, pattern.latest(now));
  return {
    account: series.account,
    dataset: series.dataset,
    schedule: series.pattern,
    lastOkAt: lastOkAt ?? null,
    ageMs: lastOkAt === undefined ? null : now - lastOkAt,
    nextAt: pattern.next(now),
    // A schedule younger than two periods has had no chance to be late.
    fresh: !offered || (lastOkAt ?? series.since) >= oldest,
    offered,
    coverage: {
      day: offered ? coverage(sqlite, series, pattern, now - day, now) : null,
      week: offered ? coverage(sqlite, series, pattern, now - 7 * day, now) : null,
      month: offered ? coverage(sqlite, series, pattern, now - 30 * day, now) : null,
    },
    failures: last === undefined || last.state === "ok" || !offered ? [] : failuresOf(sqlite, last),
  };
}

/**
 * Slots that passed while nothing ran have no row yet; they count all the same. Runs by hand do not: slots of a schedule
 * are whole seconds, theirs is the millisecond in which they began.
 */
function coverage(sqlite: Sqlite, series: Scheduled, pattern: Pattern, from: number, now: number): number | null {
  const { ok, written } = sqlite
    .prepare(
      `select count(*) filter (where state = 'ok') as ok, count(*) as written
       from run where series_id = ? and slot > ? and slot <= ? and slot % 1000 = 0 and state <> 'running'`,
    )
    .get(series.id, from, now) as { ok: number; written: number };
  const due = written + unwritten(pattern, Math.max(series.accountedTo, from), now);
  return due === 0 ? null : ok / due;
}

/** More slots than this are not counted one by one. */
const many = 2000;

/** How many slots after `from` are over by now, the last one not before its time of grace is. */
function unwritten(pattern: Pattern, from: number, now: number): number {
  const latest = pattern.latest(now);
  const end = now - latest > graceAt(pattern, latest) ? latest : latest - 1;
  const guess = (end - from) / periodAt(pattern, latest);
  if (guess > many) return Math.floor(guess);
  let count = 0;
  for (let slot = pattern.next(from); slot <= end; slot = pattern.next(slot)) count += 1;
  return count;
}

function failuresOf(sqlite: Sqlite, run: { id: number; state: RunState; cause: string | null }): OpenFailure[] {
  const failed = sqlite
    .prepare(
      `select nullif(o.product_type, '') as productType, n.error_code as code, n.error_message as message
       from snapshot n join scope o on o.id = n.scope_id where n.run_id = ? and n.error_code is not null order by n.id`,
    )
    .all(run.id) as OpenFailure[];
  return failed.length > 0 ? failed : [{ productType: null, code: run.state, message: run.cause ?? run.state }];
}
