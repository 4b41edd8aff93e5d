/** Defines the table of what happened to one position: when it was opened, added to, reduced and closed. */
import { pause, type Steps } from "../../../core/async/cooperate.ts";
import { compare, decimalIn, subtract, sumOf } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { bills } from "../../../datasets/ledger/bills.ts";
import { positions as dataset } from "../../../datasets/snapshots/positions.ts";
import { bookedWithinMs, sideOf } from "../../../reconciliation/closed-position.ts";
import { type HistoryRow, positionKey, type Span } from "../../../store/history.ts";
import { amount, change, type DataTable, instant, price, profit, text, type View } from "../table.ts";
import { changesOf, selectedEpisode } from "./position.ts";

export const events: DataTable = {
  name: "events",
  summary:
    "what happened to one position, newest first: opened, added, reduced, closed, liquidated; with what the exchange's ledger has of it, fees included",
  needs: positionKey.slice(1),
  columns: [
    instant("at", "Time"),
    instant("after", "After"),
    text("event", "Event"),
    change("size_change", "Change", "symbol"),
    amount("total", "Size", "symbol"),
    price("average_open_price", "Entry", 1),
    price("close_average_price", "Exit", 1),
    profit("realized_pl", "Realised PnL", "margin_coin"),
    profit("ledger_change", "Ledger", "margin_coin"),
  ],
  *rows(view) {
    const episode = selectedEpisode(view);
    if (episode) yield* yield* readEvents(view, episode);
  },
};

/** An event, and when its trades were made, both ends included (epoch ms); null where it has none. */
interface Event {
  row: HistoryRow;
  trades: Span | null;
}

/** The newest changes of a position that are read. */
const maxChanges = 2000;

/** Returns the events of a position up to the shown instant, newest first. */
export function* readEvents(view: View, episode: HistoryRow): Steps<HistoryRow[]> {
  const changes: HistoryRow[] = [];
  for (const row of changesOf(view, episode, "steady")) {
    if (row !== pause) changes.push(row);
    if (changes.length >= maxChanges) break;
    yield pause;
  }
  changes.reverse();
  const [first] = changes;
  const events = [
    ...(first && changes.length < maxChanges ? openingOf(view, episode, first) : []),
    ...changes.slice(1).flatMap((row, at) => changeOf(changes[at] ?? row, row)),
    ...endOf(episode, changes.at(-1)),
  ];
  const { symbol = null, margin_coin = null } = episode;
  const mark_price = changes.at(-1)?.mark_price ?? null;
  const entries = yield* readTrades(view, episode, events);
  return events
    .map((event) => ({ ...event.row, ...bookedOf(event, entries, episode), symbol, margin_coin, mark_price }))
    .reverse();
}

const millis = (instant: unknown): number => Date.parse(String(instant));

/** Returns the opening, and the first snapshot where the position is older than the first snapshot of all. */
function openingOf(view: View, { opened_at: openedAt = null }: HistoryRow, first: HistoryRow): Event[] {
  const { product_type: productType, total = null, average_open_price = null, taken_at: seenAt = null } = first;
  const begin = view.history.firstTaken(dataset, view.account ?? "", productType ? String(productType) : null);
  const unknown = { size_change: null, total: null, average_open_price: null };
  if (openedAt !== null && begin !== null && millis(openedAt) < begin)
    return [
      { row: { at: openedAt, event: "opened", ...unknown }, trades: null },
      { row: { at: seenAt, event: "first snapshot", ...unknown, total, average_open_price }, trades: null },
    ];
  const row = { at: openedAt ?? seenAt, event: "opened", size_change: total, total, average_open_price };
  return [{ row, trades: openedAt === null ? null : { from: millis(openedAt), to: millis(seenAt) } }];
}

function changeOf(before: HistoryRow, row: HistoryRow): Event[] {
  const [was, is] = [decimalIn(before, "total"), decimalIn(row, "total")];
  if (was === null || is === null || compare(was, is) === 0) return [];
  const isLess = compare(is, was) < 0;
  const { taken_at: at = null, average_open_price = null } = row;
  const realized_pl = isLess ? minus(row, before, "achieved_profits") : null;
  return [
    {
      row: {
        ...{ at, event: isLess ? "reduced" : "added" },
        ...{ size_change: subtract(is, was), total: is, average_open_price, realized_pl },
      },
      trades: { from: millis(before.taken_at) + 1, to: millis(at) },
    },
  ];
}

function minus(row: HistoryRow, before: HistoryRow | undefined, name: string, otherName = name): DecimalString | null {
  const [is, was] = [decimalIn(row, name), before ? decimalIn(before, otherName) : null];
  return is === null || was === null ? null : subtract(is, was);
}

/** Returns the close, between two snapshots where the exchange's time of it is unknown. */
function endOf(episode: HistoryRow, last: HistoryRow | undefined): Event[] {
  const { state, closed_at: closedAt = null, closed_before: by = null, last_seen_at: seenAt = null } = episode;
  if (state === "open") return [];
  if (state !== "closed") return [{ row: { at: seenAt, event: "end unknown", total: null }, trades: null }];
  const held = last ? decimalIn(last, "total") : null;
  const to = closedAt === null ? millis(by) : millis(closedAt) + bookedWithinMs;
  return [
    {
      row: {
        ...{ at: closedAt ?? by ?? seenAt, after: closedAt === null ? seenAt : null, event: "closed" },
        ...{ size_change: held === null ? null : subtract("0", held), total: "0" },
        close_average_price: episode.close_average_price ?? null,
        realized_pl: minus(episode, last, "realized_pl", "achieved_profits"),
      },
      trades: { from: millis(last?.taken_at ?? seenAt) + 1, to },
    },
  ];
}

/** An entry of the exchange's ledger about a trade of the symbol. */
interface Trade {
  at: number;
  type: string;
  change: DecimalString | null;
}

/** Returns the entries about trades in the time of the events. */
function* readTrades(view: View, { symbol, margin_coin }: HistoryRow, events: readonly Event[]): Steps<Trade[]> {
  const spans = events.flatMap(({ trades }) => trades ?? []);
  if (spans.length === 0) return [];
  const from = Math.min(...spans.map((span) => span.from));
  const to = Math.min(view.at, Math.max(...spans.map((span) => span.to))) + 1;
  const names = view.history.columns(bills);
  const found: Trade[] = [];
  for (const cells of view.history.rows(bills, { account: view.account ?? "", symbol: String(symbol) }, { from, to })) {
    const row: HistoryRow = Object.fromEntries(names.map((name, at) => [name, cells[at] ?? null]));
    if (["trade", "liquidation"].includes(String(row.kind)) && row.coin === margin_coin)
      found.push({ at: Number(row.at_ms), type: String(row.type), change: decimalIn(row, "change") });
    yield pause;
  }
  return found;
}

/** What an entry that opens is not about when a position is closed, and the reverse. */
const otherWay: Readonly<Record<string, RegExp>> = {
  opened: /close/i,
  added: /close/i,
  closed: /open/i,
  reduced: /open/i,
};

/**
 * Returns what the ledger has of an event: what its trades changed the balance by, null where that is unknown, and whether it was a
 * liquidation. Entries of one-way positions do not name the side that they are of, so that their sums are unknown.
 */
function bookedOf({ row, trades }: Event, entries: readonly Trade[], { hold_side: side }: HistoryRow): HistoryRow {
  const { event = null } = row;
  if (trades === null) return { ledger_change: null };
  const all = entries.filter(({ at, type }) => {
    return at >= trades.from && at <= trades.to && !otherWay[String(event)]?.test(type);
  });
  const own = all.filter(({ type }) => sideOf(type) === side);
  const isAmbiguous = own.length === 0 || all.some(({ type }) => sideOf(type) === null && !/liq/i.test(type));
  const ledger_change = isAmbiguous ? null : sumOf(own.map(({ change }) => change));
  const isForced = own.some(({ type }) => /burst|force|liq/i.test(type));
  return { ledger_change, event: event === "closed" && isForced ? "liquidated" : event };
}
