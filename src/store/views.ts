/** The views a person reads: one row per snapshot and item, in plain text, whatever way it is stored. */
import { snakeCase } from "../columns.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { productTypes } from "../domain.ts";
import { instantSql, readableSql } from "./cells.ts";
import { columnOf, type Layout, layoutOf } from "./layout.ts";
import type { Views } from "./migrate.ts";

/** Every view by name. */
export function viewsOf(datasets: readonly Dataset[]): Views {
  const views = new Map<string, string>();
  const add = (name: string, query: string) => views.set(name, `CREATE VIEW ${name} AS\n${query}`);
  for (const dataset of datasets) {
    const layout = layoutOf(dataset);
    add(`${layout.prefix}_history`, itemsQuery(layout, "n.error_code is null"));
    add(`${layout.prefix}_latest`, itemsQuery(layout, "p.until is null and n.id = p.latest"));
  }
  for (const [name, query] of Object.entries(fixed)) add(name, query.trim());
  return views;
}

/**
 * Joins that give each item `i` of a scope what held at snapshot `n`: `s` its steady row, `m` the moving one, `x` the
 * unknown fields. Each is one step down the primary key: `cross join` keeps SQLite from beginning with all of `s`.
 */
export function asOfJoins({ prefix, moving }: Layout): string {
  const join = (kind: string, part: string, alias: string) =>
    `${kind} ${prefix}_${part} ${alias} on ${alias}.item_id = i.id and ${alias}.since =
    (select max(since) from ${prefix}_${part} where item_id = i.id and since <= n.id)`;
  const parts = [`join ${prefix}_item i on i.scope_id = n.scope_id`, join("cross join", "steady", "s")];
  if (moving.length > 0) parts.push(join("left join", "moving", "m"));
  parts.push(join("left join", "extra", "x"));
  return parts.join("\n  ");
}

/** The rows of the history view at which something about their item changed: found by the versions, not by comparing. */
export function changesQuery(layout: Layout): string {
  const parts = layout.moving.length > 0 ? ["steady", "moving", "extra"] : ["steady", "extra"];
  const versions = parts.map((part) => `select item_id, since from ${layout.prefix}_${part}`).join(" union ");
  return itemsQuery(
    layout,
    "i.id = v.item_id and n.error_code is null",
    `(${versions}) v cross join snapshot n on n.id = v.since`,
  );
}

function itemsQuery(layout: Layout, condition: string, from = "snapshot n"): string {
  const { dataset } = layout;
  const declared = Object.keys(dataset.columns).map((name) => {
    const alias = layout.key.includes(name) ? "i" : layout.moving.includes(name) ? "m" : "s";
    const stored = snakeCase(name);
    return `${readableSql(columnOf(layout, name), `${alias}.${stored}`)} as ${stored}`;
  });
  const published = Object.keys(dataset.columns).indexOf(dataset.lastPublished) + 1;
  // People rely on the columns up to `snapshot_id` and their order.
  const columns = [
    ...(dataset.public ? [] : ["a.name as account"]),
    `${instantSql("n.taken_at")} as taken_at`,
    ...(hasProductTypes(dataset) ? ["nullif(p.product_type, '') as product_type"] : []),
    ...declared.slice(0, published),
    "n.id as snapshot_id",
    ...declared.slice(published),
    "x.fields as extra",
    "n.taken_at as taken_at_ms",
  ];
  const shown = dataset.vanishes === "zero" ? "(s.present = 1 or s.since = n.id)" : "s.present = 1";
  return `select
  ${columns.join(",\n  ")}
from ${from}
  join scope p on p.id = n.scope_id
  join series e on e.id = p.series_id and e.dataset = '${dataset.name}'
  join account a on a.id = e.account_id
  ${asOfJoins(layout)}
where ${condition} and ${shown}`;
}

const hasProductTypes = ({ endpoints }: Dataset): boolean =>
  Object.values(endpoints).some(({ scopes }) => scopes(productTypes).some((scope) => scope !== null));

const fixed: Record<string, string> = {
  runs: `
select r.id as run_id, a.name as account, e.dataset as dataset, ${instantSql("r.slot")} as scheduled_for,
  ${instantSql("(r.slot + r.late_ms)")} as started_at, ${instantSql("(r.slot + r.late_ms + r.took_ms)")} as finished_at,
  r.state as state, r.cause as cause, r.requests as requests, r.retries as retries, r.rows as rows,
  r.late_ms as late_ms, r.spread_ms as spread_ms, r.slot as scheduled_for_ms
from run r
  join series e on e.id = r.series_id
  join account a on a.id = e.account_id`,
  snapshots: `
select n.id as snapshot_id, n.run_id as run_id, a.name as account, e.dataset as dataset,
  nullif(p.product_type, '') as product_type, ${instantSql("n.taken_at")} as taken_at,
  case when n.error_code is null then 'ok' else 'failed' end as state, n.rows as rows,
  n.error_code as error_code, n.error_message as error_message, n.taken_at as taken_at_ms, lower(hex(n.digest)) as digest
from snapshot n
  join scope p on p.id = n.scope_id
  join series e on e.id = p.series_id
  join account a on a.id = e.account_id`,
  // A gap begins where the slot before is of another kind: nothing bad before, another cause, or a slot in between.
  gaps: `
with bad as (
  select series_id, '' as product_type, 0 as in_part, slot, coalesce(cause, state) as cause
  from run where state in ('missed', 'skipped', 'failed')
  union all
  select r.series_id, p.product_type, 1, r.slot, n.error_code
  from snapshot n join run r on r.id = n.run_id join scope p on p.id = n.scope_id
  where n.error_code is not null and r.state = 'partial'
), beside as (
  select *, lag(slot) over w as slot_before, lag(cause) over w as cause_before
  from bad window w as (partition by series_id, in_part, product_type order by slot)
), begun as (
  select *, cause is not cause_before or exists (
    select 1 from run r where r.series_id = beside.series_id and r.slot > beside.slot_before and r.slot < beside.slot
  ) as begins
  from beside
), numbered as (
  select *, sum(begins) over (partition by series_id, in_part, product_type order by slot) as number from begun
)
select a.name as account, e.dataset as dataset, nullif(g.product_type, '') as product_type,
  ${instantSql("min(g.slot)")} as from_at, ${instantSql("max(g.slot)")} as to_at, count(*) as slots, g.cause as cause,
  min(g.slot) as from_at_ms, max(g.slot) as to_at_ms
from numbered g
  join series e on e.id = g.series_id
  join account a on a.id = e.account_id
group by g.series_id, g.in_part, g.product_type, g.number`,
  schedules: `
select a.name as account, e.dataset as dataset, ${instantSql("c.since")} as since, c.pattern as pattern,
  ${instantSql("c.until")} as until
from schedule c
  join series e on e.id = c.series_id
  join account a on a.id = e.account_id`,
  account_modes: `
select a.name as account, ${instantSql("m.since")} as since, m.api as api, m.cause as cause
from account_mode m
  join account a on a.id = m.account_id`,
};
