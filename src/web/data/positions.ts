/** Defines the tables of open positions, of closed positions, and of the history of one position. */
import { pause } from "../../core/async/cooperate.ts";
import { positions as dataset } from "../../datasets/snapshots/positions.ts";
import { createCloses, instantText } from "../../queries/close.ts";
import { liquidationDistance } from "../../reports/positions.ts";
import { type HistoryRow, positionKey } from "../../store/history.ts";
import { comparisonPeriods } from "./comparison-periods.ts";
import { amount, type Column, change, type DataTable, duration, instant, share, text, type View } from "./table.ts";

const keyColumns = [
  text("symbol", "Symbol"),
  text("hold_side", "Side"),
  text("account", "Account"),
  text("product_type", "Product"),
  text("margin_coin", "Margin coin"),
  text("margin_mode", "Mode"),
];

export const positions: DataTable = {
  name: "positions",
  summary: "every open position",
  columns: [
    ...keyColumns,
    text("state", "State"),
    amount("total", "Size"),
    amount("leverage", "Leverage"),
    amount("average_open_price", "Entry"),
    amount("mark_price", "Mark"),
    change("unrealized_pl", "Unrealised PnL"),
    share("unrealized_plr", "ROE"),
    amount("margin", "Margin"),
    amount("liquidation_price", "Liquidation"),
    share("liquidation_distance", "Distance"),
    change("achieved_profits", "Realised PnL"),
    instant("opened_at", "Opened"),
    instant("taken_at", "Updated"),
  ],
  *rows(view) {
    const { shown, source } = comparisonPeriods(view);
    for (const { account, productType, takenAt, known, rows } of yield* createCloses(source, dataset)(shown)) {
      if (!known) yield { account, product_type: productType, state: "unknown", taken_at: instantText(takenAt) };
      for (const row of rows) yield { ...row, state: "open", liquidation_distance: liquidationDistance(row) };
    }
  },
};

export const episodes: DataTable = {
  name: "episodes",
  summary: "closed positions, the last closed first",
  columns: [
    ...keyColumns,
    text("state", "State"),
    instant("opened_at", "Opened"),
    instant("first_seen_at", "First snapshot"),
    instant("last_seen_at", "Last snapshot"),
    instant("closed_before", "Closed by"),
    instant("closed_at", "Closed"),
    duration("held_ms", "Held"),
    amount("largest_total", "Largest size"),
    amount("average_open_price", "Entry"),
    amount("close_average_price", "Exit"),
    change("net_profit", "Net PnL"),
    change("realized_pl", "Realised PnL"),
    amount("funding", "Funding"),
    amount("fees", "Fees"),
    change("worst_unrealized_pl", "Max loss"),
    change("best_unrealized_pl", "Max profit"),
    share("closest_liquidation", "Nearest to liquidation"),
    change("realized_pl_seen", "Realised PnL (before close)"),
    amount("funding_seen", "Funding (before close)"),
    amount("fees_seen", "Fees (before close)"),
    change("bills_net_profit", "Net PnL by its bills"),
    amount("difference", "Difference to its bills"),
    text("verdict", "Its bills"),
  ],
  *rows({ history, account, at }) {
    yield* history.closedEpisodes(account, at);
  },
};

export const position: DataTable = {
  name: "position",
  summary: "one position, one row for each snapshot in which it changed, newest first",
  needs: positionKey.slice(1),
  columns: [
    instant("taken_at", "Time"),
    amount("total", "Size"),
    amount("average_open_price", "Entry"),
    amount("mark_price", "Mark"),
    change("unrealized_pl", "Unrealised PnL"),
    amount("margin", "Margin"),
    amount("leverage", "Leverage"),
    amount("liquidation_price", "Liquidation"),
    share("liquidation_distance", "Distance"),
    change("achieved_profits", "Realised PnL"),
  ],
  *rows(view) {
    const episode = selectedEpisode(view);
    if (!episode) return;
    const { account: _account, ...filter } = positionFilter(view);
    const { first_seen_at_ms: first, last_seen_at_ms: last } = episode;
    const span = { from: Number(first), to: Math.min(view.at, Number(last)) + 1 };
    for (const row of view.history.latestChanges(dataset, view.account, filter, span))
      yield row === pause ? pause : { ...row, liquidation_distance: liquidationDistance(row) };
  },
};

/** Returns the key columns of the position in the parameters; "" for a missing one. */
export const positionFilter = ({ account, params }: View): Record<string, string> => ({
  ...Object.fromEntries(positionKey.map((name) => [name, params[name] ?? ""])),
  account: account ?? "",
});

/** Columns of the position summary, without the key. */
export const summaryColumns = episodes.columns.slice(keyColumns.length);

/** What is known of a position only once it is closed. */
export const closedColumns: readonly string[] = [
  ...["closed_at", "closed_before", "held_ms", "close_average_price", "net_profit"],
  ...["bills_net_profit", "difference", "verdict"],
];

/** Returns true if later snapshots may change the column of an open position. */
const changesWhileOpen = ({ name, kind }: Column): boolean =>
  name === "last_seen_at" || !["text", "instant"].includes(kind);

/**
 * Returns the position lifecycle that began at `first_seen_at`, or without that parameter the newest one, as recorded by the shown
 * instant: values that come from later snapshots are omitted. Returns undefined if there is none.
 */
export function selectedEpisode(view: View): HistoryRow | undefined {
  const episode = view.history.episodeOf(positionFilter(view), view.params.first_seen_at ?? null, view.at);
  if (!episode) return undefined;
  const at = instantText(view.at) ?? "";
  const isOpen = String(episode.closed_before ?? episode.last_seen_at) > at;
  // The results of a closed position are not those that it had before.
  const results = isOpen && episode.state !== "open" ? ["realized_pl", "funding", "fees"] : [];
  const later =
    String(episode.last_seen_at) > at ? summaryColumns.filter(changesWhileOpen).map(({ name }) => name) : results;
  const hidden = isOpen || episode.state === "open" ? [...later, ...closedColumns] : later;
  return {
    ...Object.fromEntries(Object.entries(episode).filter(([name]) => !hidden.includes(name))),
    state: isOpen ? "open" : (episode.state ?? null),
  };
}
