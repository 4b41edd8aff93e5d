/** Defines the table of the history of one position. */
import { type Paced, pause } from "../../../core/async/cooperate.ts";
import { positions as dataset } from "../../../datasets/snapshots/positions.ts";
import { instantText } from "../../../queries/close.ts";
import { liquidationDistance } from "../../../reports/positions.ts";
import { type HistoryRow, positionKey } from "../../../store/history.ts";
import { amount, type Column, type DataTable, instant, price, profit, share, type View } from "../table.ts";
import { episodes } from "./closed.ts";
import { keyColumns } from "./open.ts";

export const position: DataTable = {
  name: "position",
  summary:
    "one position, one row for each snapshot in which it changed, newest first; `show=changes` leaves out those in which only the mark price and what follows from it did",
  needs: positionKey.slice(1),
  columns: [
    instant("taken_at", "Time"),
    amount("total", "Size", "symbol"),
    price("average_open_price", "Entry", 1),
    price("mark_price", "Mark"),
    profit("unrealized_pl", "Unrealised PnL", "margin_coin"),
    amount("margin", "Margin", "margin_coin"),
    amount("leverage", "Leverage", "symbol"),
    price("liquidation_price", "Liquidation"),
    share("liquidation_distance", "Distance"),
    profit("achieved_profits", "Realised PnL", "margin_coin"),
    profit("total_funding", "Funding", "margin_coin"),
  ],
  *rows(view) {
    const episode = selectedEpisode(view);
    if (!episode) return;
    for (const row of changesOf(view, episode, view.params.show === "changes" ? "steady" : "all"))
      yield row === pause ? pause : { ...row, liquidation_distance: liquidationDistance(row) };
  },
};

/** Yields the snapshots in which a position changed, newest first; those of `steady` columns do not follow from the mark price. */
export function changesOf(view: View, episode: HistoryRow, columns: "all" | "steady"): Paced<HistoryRow> {
  const { account: _account, ...filter } = positionFilter(view);
  const { first_seen_at_ms: first, last_seen_at_ms: last } = episode;
  const span = { from: Number(first), to: Math.min(view.at, Number(last)) + 1 };
  return view.history.latestChanges(dataset, view.account, filter, span, columns);
}

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
