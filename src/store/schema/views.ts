/** Defines the public views: one row per snapshot and item, in plain text, independent of how it is stored. */

import { holdsMoney } from "../../bitget/product-types.ts";
import { snakeCase } from "../../core/columns.ts";
import { causes, productTypes } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import { episodesQuery } from "./episode-view.ts";
import { recordLayoutOf, recordQuery } from "./record-layout.ts";
import { columnOf, layoutOf, type StorageLayout } from "./storage-layout.ts";
import { columnNames, notComplete } from "./tables.ts";
import { readableSql, type Source, sqliteDialect, type ViewDialect } from "./view-dialect.ts";

/** Maps the name of a view to its CREATE VIEW statement. */
export type Views = ReadonlyMap<string, string>;

/** Returns every view by name. */
export function viewsOf(datasets: readonly AnyDataset[], dialect = sqliteDialect): Views {
  const views = new Map<string, string>();
  const add = (name: string, query: string) => views.set(name, `CREATE VIEW ${name} AS\n${query}`);
  const snapshotDatasets = datasets.filter((one) => one.mode === "snapshot");
  const recordDatasets = datasets.filter((one) => one.mode === "incremental");
  for (const dataset of recordDatasets) {
    const layout = recordLayoutOf(dataset);
    add(layout.prefix, recordQuery(layout, dialect));
  }
  for (const dataset of snapshotDatasets) {
    const layout = layoutOf(dataset);
    const history = `${layout.prefix}_history`;
    add(history, historyQuery(layout, dialect));
    const latest = "select latest from scope where until is null";
    add(`${layout.prefix}_latest`, `select * from ${history} where snapshot_id in (${latest})`);
  }
  add("daily_ranges", rangesQuery(snapshotDatasets, dialect));
  const fixed = fixedQueries(
    dialect,
    recordDatasets.map(({ name }) => name),
  );
  const reconciled = recordDatasets.some(({ isLedger }) => isLedger) ? reconciliationQueries(dialect) : {};
  for (const [name, query] of Object.entries({ ...fixed, ...reconciled })) add(name, query.trim());
  return views;
}

function historyQuery(layout: StorageLayout, dialect: ViewDialect): string {
  const { dataset } = layout;
  const names = columnNames(dataset);
  const declared = names.map((name) => {
    const stored = snakeCase(name);
    return `${readableSql(dialect, columnOf(layout, name), sourceOf(layout, name), stored)} as ${stored}`;
  });
  const published = names.indexOf(dataset.stableThrough) + 1;
  const original = names.length - layout.later.length;
  // The columns up to `snapshot_id` and their order are a promise; columns that were added later come last.
  const columns = [
    ...(dataset.public ? [] : ["a.name as account"]),
    `${dialect.instant("n.taken_at")} as taken_at`,
    ...(hasProductTypes(dataset) ? ["nullif(p.product_type, '') as product_type"] : []),
    ...declared.slice(0, published),
    "n.id as snapshot_id",
    ...declared.slice(published, original),
    "x.fields as extra",
    "n.taken_at as taken_at_ms",
    ...declared.slice(original),
  ];
  const shown = dataset.onRemoval === "zeroRow" ? "(s.present = 1 or s.since = n.id)" : "s.present = 1";
  return `select
  ${columns.join(",\n  ")}
from snapshot n
  join scope p on p.id = n.scope_id
  join series e on e.id = p.series_id and e.dataset = '${dataset.name}'
  join account a on a.id = e.account_id
  ${dialect.asOfJoins(layout)}
where n.error_code is null and ${shown}`;
}

/** Returns the table that stores a column. */
function sourceOf({ key, moving, prefix }: StorageLayout, name: string): Source {
  if (key.includes(name)) return { alias: "i", table: `${prefix}_item`, key: ["id"] };
  const version = ["item_id", "since"];
  return moving.includes(name)
    ? { alias: "m", table: `${prefix}_moving`, key: version }
    : { alias: "s", table: `${prefix}_steady`, key: version };
}

const ranges: Source = { alias: "d", table: "daily_range", key: ["dataset", "item_id", "day", "field"] };

/** Returns the query of `daily_ranges`. An item is named by its key: "BTCUSDT USDT long crossed". */
function rangesQuery(datasets: readonly Dataset[], { amount, day }: ViewDialect): string {
  const items = datasets.map((dataset) => {
    const { prefix, key } = layoutOf(dataset);
    return `select '${dataset.name}', id, scope_id, ${key.map(snakeCase).join("||' '||") || "''"} from ${prefix}_item`;
  });
  return `with i(dataset, id, scope_id, item) as (
  ${items.join(" union all\n  ")}
)
select a.name as account, d.dataset, nullif(p.product_type, '') as product_type, ${day("d.day")} as day,
  i.item, d.field, ${amount(ranges, "least")} as least, ${amount(ranges, "greatest")} as greatest
from daily_range d
  join i on i.dataset = d.dataset and i.id = d.item_id
  join scope p on p.id = i.scope_id
  join series e on e.id = p.series_id
  join account a on a.id = e.account_id`;
}

/** Returns whether some API version of the dataset has scopes by product type. */
export const hasProductTypes = ({ sources }: Dataset): boolean =>
  Object.values(sources).some(({ scopes }) => scopes(productTypes).some((scope) => scope !== null));

/**
 * The cause of a hole `g` in the records of a series `e`: they were deleted before they were read. The time before the first run, from 0
 * on, is none.
 */
export const holeCause = `case when exists (
    select 1 from schedule c
    where c.series_id = e.id and c.since < g.hole_to and coalesce(c.until, g.hole_to) >= g.hole_to
  ) then '${causes.forgotten}' else '${causes.switchedOff}' end`;

const realWallets = productTypes
  .filter(holdsMoney)
  .map((one) => `'${one}'`)
  .join(", ");

const unknownInteger = "cast(null as integer)";

/**
 * Whether the ledger proves every balance of the wallets of a gap `g` in a series `e` and a scope `p`, from a snapshot before it to one
 * after it; null for datasets without a ledger, and where nothing was reconciled. A unified account's futures have no wallet of their
 * own. Where whole runs are missing, wallets of demo money do not count.
 */
const rebuiltSql = `case
    when e.dataset in ('spot-assets', 'funding-assets') or e.dataset = 'mix-accounts' and coalesce(p.product_type, '') <> 'unified'
    then (select min(c.is_proven) from (
      select case when sum(case when r.verdict in ('proven', 'rounded') then 0 else 1 end) = 0
          and min(r.from_at) <= g.from_slot and max(r.to_at) >= g.to_slot then 1 else 0 end as is_proven
      from reconciled r
      where r.account_id = e.account_id and r.from_at <= g.to_slot and r.to_at > g.from_slot and case e.dataset
        when 'spot-assets' then r.wallet in ('spot', 'unified')
        when 'funding-assets' then r.wallet = 'funding'
        else r.wallet = p.product_type or p.id is null and r.wallet in (${realWallets}) end
      group by r.wallet, r.coin) c) end`;

function fixedQueries(dialect: ViewDialect, records: readonly string[]): Record<string, string> {
  const { instant, hex } = dialect;
  return {
    runs: `
select r.id as run_id, a.name as account, e.dataset as dataset, ${instant("r.slot")} as scheduled_for,
  ${instant("(r.slot + r.late_ms)")} as started_at, ${instant("(r.slot + r.late_ms + r.took_ms)")} as finished_at,
  r.state as state, r.cause as cause, r.requests as requests, r.retries as retries, r.rows as rows,
  r.late_ms as late_ms, r.spread_ms as spread_ms, r.slot as scheduled_for_ms,
  r.skew_ms as skew_ms, r.worker as worker
from run r
  join series e on e.id = r.series_id
  join account a on a.id = e.account_id`,
    snapshots: `
select n.id as snapshot_id, n.run_id as run_id, a.name as account, e.dataset as dataset,
  nullif(p.product_type, '') as product_type, ${instant("n.taken_at")} as taken_at,
  case when n.error_code is null then 'ok' else 'failed' end as state, n.rows as rows,
  n.error_code as error_code, n.error_message as error_message, n.taken_at as taken_at_ms, ${hex("n.digest")} as digest
from snapshot n
  join scope p on p.id = n.scope_id
  join series e on e.id = p.series_id
  join account a on a.id = e.account_id`,
    gaps: `
select a.name as account, e.dataset as dataset, nullif(p.product_type, '') as product_type,
  ${instant("g.from_slot")} as from_at, ${instant("g.to_slot")} as to_at, g.slots as slots, g.cause as cause,
  g.from_slot as from_at_ms, g.to_slot as to_at_ms, ${rebuiltSql} as rebuilt
from gap g
  join series e on e.id = g.series_id
  join account a on a.id = e.account_id
  left join scope p on p.id = g.scope_id
where g.scope_id <> ${notComplete}
union all
select a.name, e.dataset, nullif(p.product_type, ''), ${instant("g.hole_from")}, ${instant("g.hole_to")}, 0, ${holeCause},
  g.hole_from, g.hole_to, ${unknownInteger}
from reading g
  join snapshot n on n.id = g.snapshot_id
  join scope p on p.id = n.scope_id
  join series e on e.id = p.series_id
  join account a on a.id = e.account_id
where g.hole_from > 0
union all
select a.name, e.dataset, null, ${instant("max(c.until)")}, null, 0, '${causes.switchedOff}', max(c.until), null, ${unknownInteger}
from schedule c
  join series e on e.id = c.series_id
  join account a on a.id = e.account_id
where e.dataset in (${records.map((name) => `'${name}'`).join(", ")})
group by e.id, a.name, e.dataset having count(c.until) = count(*)`,
    position_episodes: episodesQuery(dialect),
    schedules: `
select a.name as account, e.dataset as dataset, ${instant("c.since")} as since, c.pattern as pattern,
  ${instant("c.until")} as until
from schedule c
  join series e on e.id = c.series_id
  join account a on a.id = e.account_id`,
    account_modes: `
select a.name as account, ${instant("m.since")} as since, m.api as api, m.cause as cause
from account_mode m
  join account a on a.id = m.account_id`,
    workers: `
select w.name as worker, ${instant("w.seen_at")} as seen_at, w.version as version, w.accounts as accounts,
  (select count(*) from run r where r.state = 'running' and r.worker = w.name) as running,
  ${instant("w.paused_until")} as paused_until
from worker w`,
  };
}

/** Returns the queries of the views of the reconciliation of the exchange's ledger. */
function reconciliationQueries({ amount, instant }: ViewDialect): Record<string, string> {
  const stretch: Source = { alias: "r", table: "reconciled", key: ["account_id", "wallet", "coin", "from_at"] };
  const shown: Source = { alias: "s", table: "snapshot_balance", key: ["account_id", "wallet", "coin", "at"] };
  return {
    reconciliation: `
select a.name as account, r.wallet as wallet, r.coin as coin, ${instant("r.from_at")} as from_at, ${instant("r.to_at")} as to_at,
  ${amount(stretch, "opening")} as opening, ${amount(stretch, "change")} as change, r.entries as entries,
  ${amount(stretch, "closing")} as closing, ${amount(stretch, "residual")} as residual, r.verdict as verdict, r.cause as cause,
  r.from_at as from_at_ms, r.to_at as to_at_ms
from reconciled r
  join account a on a.id = r.account_id`,
    // The pairs of isolated margin have one wallet in `bills`, and balances of their own.
    wallet_balances: `
select account, case when wallet = 'margin-isolated' then category else wallet end as wallet, coin, at, balance, 'bill' as source, coalesce(booked_at_ms, at_ms) as at_ms, coalesce(position, 0) as position,
  bill_id as bill_id
from bills
where balance is not null
union all
select a.name, s.wallet, s.coin, ${instant("s.at")}, ${amount(shown, "balance")}, 'snapshot', s.at, 0, null
from snapshot_balance s
  join account a on a.id = s.account_id`,
    ledger_findings: `
select a.name as account, f.category as category, f.type as type, f.convention as convention, f.entries as entries
from ledger_finding f
  join account a on a.id = f.account_id`,
  };
}
