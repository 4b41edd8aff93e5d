/** Lists runs and gaps. */
import type { Cell } from "../../core/domain.ts";
import type { Listed, ListedRun, ListFilter, RunFilter, RunQuery } from "../history.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** What no index finds is searched for among this many runs, the newest of the instant. */
const searched = 100_000;

const columns = `r.id, a.name as account, e.dataset, r.slot, r.state, r.cause, r.late_ms as lateMs, r.took_ms as tookMs,
  r.requests, r.retries, r.rows`;
/** That a slot was due by the instant, and its run had ended if there was one. */
const isRecorded = "r.slot <= @at and r.slot + coalesce(r.late_ms, 0) + coalesce(r.took_ms, 0) <= @at";
/** Runs first: a long history has millions of them, of which the index finds those that are read. */
const source = "run r cross join series e on e.id = r.series_id cross join account a on a.id = e.account_id";

/** The conditions of the filters; those of `indexed` are in the index of runs without a snapshot, for each series. */
const conditions: Record<RunFilter, string> = {
  all: "true",
  ok: "r.state = 'ok'",
  partial: "r.state = 'partial'",
  failed: "r.state = 'failed'",
  missed: "r.state = 'missed'",
  skipped: "r.state = 'skipped'",
  late: "r.late_ms > 1000",
  retried: "r.retries > 0",
};
const indexed: readonly RunFilter[] = ["failed", "missed", "skipped"];

/** Returns the newest runs up to an instant that a filter selects, of an account and the public data, or of all accounts. */
export function listRuns(sqlite: Sqlite, query: RunQuery): ListedRun[] {
  const found = indexed.includes(query.filter) ? bySeries(sqlite, query) : amongNewest(sqlite, query);
  const messages = sqlite
    .prepare<[number], string>(
      `select coalesce(p.product_type || ': ', '') || coalesce(n.error_message, n.error_code) from snapshot n join scope p on p.id = n.scope_id
       where n.run_id = ? and n.error_code is not null order by p.id`,
    )
    .pluck();
  return found.map((run) => ({ ...run, messages: messages.all(run.id) }));
}

/** Returns our clock minus the exchange's by the newest of the last hundred runs that measured it, ms; null if none did. */
export const clockSkew = (sqlite: Sqlite, at: number): number | null =>
  sqlite
    .prepare<[number], number>(
      `select skew_ms from (select id, skew_ms from run where slot <= ? order by id desc limit 100)
       where skew_ms is not null order by id desc limit 1`,
    )
    .pluck()
    .get(at) ?? null;

type Found = Omit<ListedRun, "messages"> & { id: number };

function amongNewest(sqlite: Sqlite, { accounts, filter, at, limit }: RunQuery): Found[] {
  return sqlite
    .prepare<unknown[], Found>(
      `select ${columns} from ${source}
       where r.id > (
           select coalesce(max((select id from run where series_id = e.id and slot <= @at order by slot desc limit 1)), 0) from series e
         ) - ${searched} and a.name in (select value from json_each(@accounts)) and ${isRecorded}
         and r.state <> 'running' and ${conditions[filter]}
       order by r.id desc limit @limit`,
    )
    .all({ accounts: JSON.stringify(accounts), at, limit });
}

function bySeries(sqlite: Sqlite, { accounts, filter, at, limit }: RunQuery): Found[] {
  const series = sqlite
    .prepare<[string], number>(
      "select e.id from series e join account a on a.id = e.account_id where a.name in (select value from json_each(?))",
    )
    .pluck()
    .all(JSON.stringify(accounts));
  const ofOne = sqlite.prepare<unknown[], Found>(
    `select ${columns} from ${source}
     where r.series_id = @id and ${isRecorded} and r.state in ('missed', 'skipped', 'failed') and ${conditions[filter]}
     order by r.slot desc limit @limit`,
  );
  return series
    .flatMap((id) => ofOne.all({ id, at, limit }))
    .sort((one, other) => other.slot - one.slot || other.id - one.id)
    .slice(0, limit);
}

/** What selects rows of either view. */
const common = `(@account is null or account = @account) and (@dataset is null or dataset = @dataset)`;

/** The rows of a span; those of gaps overlap it. */
const selections = {
  runs: `${common} and (@state is null or state = @state) and scheduled_for_ms >= @from and scheduled_for_ms < @to
    order by scheduled_for_ms desc, run_id desc`,
  gaps: `${common} and (to_at_ms is null or to_at_ms >= @from) and from_at_ms < @to order by from_at_ms desc, account, dataset, product_type`,
} as const;

/** Returns at most `newest` rows of a view, oldest first. The columns are those of the view. */
export function listRows(sqlite: Sqlite, view: keyof typeof selections, filter: ListFilter, newest: number): Listed {
  const { account = null, dataset = null, state = null, from, to } = filter;
  const statement = sqlite.prepare<unknown[], Cell[]>(`select * from ${view} where ${selections[view]} limit @newest`);
  const columns = statement.columns().map(({ name }) => name);
  const limit = Number.isFinite(newest) ? newest : -1;
  const rows = statement.raw().safeIntegers().all({ account, dataset, state, from, to, newest: limit });
  return { columns, rows: rows.reverse() };
}
