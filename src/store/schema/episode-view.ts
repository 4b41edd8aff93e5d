/** Defines the view `position_episodes`: the positions that snapshots showed, with their results, and those that no snapshot showed. */
import type { Source, ViewDialect } from "./view-dialect.ts";

const episode: Source = { alias: "l", table: "episode", key: ["item_id", "since"] };
const result: Source = { alias: "r", table: "position_result", key: ["scope_id", "position_id"] };
const record: Source = {
  alias: "c",
  table: "closed_positions_record",
  key: ["scope_id", "position_id", "version"],
};

/** Amounts of an episode. No snapshot contains the trade that closes a position: `results` are those of the exchange's list once it is closed. */
const extremes = ["worst_unrealized_pl", "best_unrealized_pl", "closest_liquidation"];
const results = ["realized_pl", "funding", "fees"];
const ofBills = ["bills_realized_pl", "bills_funding", "bills_fees", "bills_net_profit", "difference"];

/** The columns of the exchange's list of closed positions and of the comparison with its ledger, in their order. */
const resultColumns = [
  "position_id",
  "closed_at",
  "close_average_price",
  "size",
  "net_profit",
  "held_ms",
  ...ofBills,
  "verdict",
] as const;

/** Returns the expressions of `resultColumns`, and of the results and the entry price, where a closed position was found. */
function resultCells({ amount, receivedInstant }: ViewDialect): Record<string, string> {
  return {
    position_id: "c.position_id",
    closed_at: receivedInstant("c.closed_at"),
    close_average_price: amount(record, "close_average_price"),
    size: amount(record, "size"),
    net_profit: amount(record, "net_profit"),
    held_ms: "c.closed_at - c.opened_at",
    ...Object.fromEntries(ofBills.map((name) => [name, amount(result, name)])),
    verdict: "r.verdict",
    realized_pl: amount(record, "realized_pl"),
    funding: amount(record, "funding"),
    fees: amount(result, "fees"),
    open_average_price: amount(record, "open_average_price"),
    opened_at: "c.opened_at",
  };
}

const joinResult = `
    left join position_result r on r.item_id = l.item_id and r.since = l.since
    left join closed_positions_record c on c.scope_id = r.scope_id and c.position_id = r.position_id and c.version = r.version`;

/** Returns the query of the view. The open positions of a scope that is no longer requested have an unknown outcome. */
export function episodesQuery(dialect: ViewDialect): string {
  const { amount, instant, receivedInstant } = dialect;
  const cells = resultCells(dialect);
  return `
with timeline as (
  select l.*, i.symbol, i.margin_coin, i.hold_side, i.margin_mode, p.series_id, p.product_type,
    ${results.map((name) => `${amount(episode, name)} as ${name}_seen`).join(",\n    ")},
    ${[...results, "open_average_price", ...resultColumns].map((name) => `${cells[name]} as ${name}_closed`).join(",\n    ")},
    coalesce(l.opened_at, ${cells.opened_at}) as opened_at_ms, coalesce(l.last_seen_at, n.taken_at) as seen_at,
    case when l.closed_before is not null then 'closed' when p.until is null then 'open' else 'unknown' end as state
  from episode l
    join positions_item i on i.id = l.item_id
    join scope p on p.id = i.scope_id
    left join snapshot n on n.id = p.latest${joinResult}
)
select a.name as account, nullif(l.product_type, '') as product_type, l.symbol as symbol, l.margin_coin as margin_coin,
  l.hold_side as hold_side, l.margin_mode as margin_mode, l.state as state, ${receivedInstant("l.opened_at_ms")} as opened_at,
  ${instant("l.first_seen_at")} as first_seen_at, ${instant("l.seen_at")} as last_seen_at,
  ${instant("l.last_seen_at")} as closed_after, ${instant("l.closed_before")} as closed_before,
  ${[
    `${amount(episode, "largest_total")} as largest_total`,
    `coalesce(l.open_average_price_closed, ${amount(episode, "average_open_price")}) as average_open_price`,
    ...extremes.map((name) => `${amount(episode, name)} as ${name}`),
    ...results.map((name) => `case when l.state = 'open' then l.${name}_seen else l.${name}_closed end as ${name}`),
    ...results.map((name) => `l.${name}_seen as ${name}_seen`),
  ].join(",\n  ")},
  l.first_seen_at as first_seen_at_ms, l.seen_at as last_seen_at_ms, 1 as seen,
  ${resultColumns.map((name) => `l.${name}_closed as ${name}`).join(", ")}
from timeline l
  join series e on e.id = l.series_id
  join account a on a.id = e.account_id${unseenQuery(dialect, cells)}`;
}

/** Returns the rows of positions that were opened and closed without a snapshot in between. */
function unseenQuery({ receivedInstant, instant, amountType }: ViewDialect, cells: Record<string, string>): string {
  const noAmount = `cast(null as ${amountType})`;
  const noTime = instant("cast(null as bigint)");
  return `
union all
select a.name, p.product_type, c.symbol, c.margin_coin, c.hold_side, c.margin_mode, 'closed', ${receivedInstant("c.opened_at")},
  ${[noTime, noTime, noTime, noTime].join(", ")},
  ${[noAmount, cells.open_average_price, ...extremes.map(() => noAmount)].join(", ")},
  ${[...results.map((name) => cells[name]), ...results.map(() => noAmount)].join(", ")},
  cast(null as bigint), cast(null as bigint), 0,
  ${resultColumns.map((name) => cells[name]).join(", ")}
from position_result r
  join closed_positions_record c on c.scope_id = r.scope_id and c.position_id = r.position_id and c.version = r.version
  join scope p on p.id = r.scope_id
  join series e on e.id = p.series_id
  join account a on a.id = e.account_id
where r.seen = 0`;
}
