/** Joins the entries of the books into events: the two sides of a trade and its fee are one. */
import { absolute, add, isPositive, isZero } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { markInternal, transferSpreadMs } from "../../queries/flows.ts";
import type { Source } from "../../queries/source.ts";
import type { Span } from "../../store/history.ts";
import { bookEntries } from "../books/entries.ts";
import type { BookEntry } from "../books/entry.ts";
import type { BookEvent, EventKind, LeftOut, Money } from "./event.ts";

/** Why entries are in no event. */
export const reasons = {
  internal: "a transfer between wallets of the account",
  unchanged: "no balance changed",
  unknown: "the amount is unknown",
  oneSided: "a trade of which only one side is recorded",
  several: "an exchange of more than two coins at once",
};

/** How long after its first entry a trade may have more. Milliseconds. */
const tradeMs = 1000;

interface Group {
  key: string;
  entries: BookEntry[];
}

/** Yields the events of a span by the time of their first entry, and what is in no event. */
export function* eventsOf(source: Source, { from, to }: Span): Generator<BookEvent | LeftOut, void> {
  // The other side of a transfer may be just outside the span.
  const wider = bookEntries(source, { from: from - transferSpreadMs, to: to + transferSpreadMs });
  const groups: Group[] = [];
  for (const { entry, isInternal } of markInternal(wider)) {
    if (entry.at < from || entry.at >= to) continue;
    while (groups[0] && (groups[0].entries[0]?.at ?? 0) < entry.at - tradeMs) yield* eventsIn(groups.shift());
    if (isInternal) {
      yield { reason: reasons.internal, entries: [entry] };
      continue;
    }
    const key = keyOf(entry);
    const group = groups.find((one) => one.key === key);
    if (group) group.entries.push(entry);
    else groups.push({ key, entries: [entry] });
  }
  for (const group of groups) yield* eventsIn(group);
}

/** Returns a key that the entries of one trade share, and no others. */
function keyOf(entry: BookEntry): string {
  const { account, wallet, category, kind, orderId, symbol, at, id, source } = entry;
  if (!isTrade(entry) && (kind !== "fee" || isFutures(entry))) return `${source} ${account} ${category} ${id}`;
  if (orderId !== null) return `${source} ${account} ${wallet} ${orderId}`;
  return `${source} ${account} ${wallet} ${kind === "conversion" ? kind : symbol} ${at}`;
}

const isFutures = ({ category }: BookEntry): boolean => /mcbl$|FUTURES$/.test(category);

/** Returns true for one side of an exchange of two coins. */
const isTrade = (entry: BookEntry): boolean =>
  entry.kind === "conversion" || (entry.kind === "trade" && !isFutures(entry));

function* eventsIn(group: Group | undefined): Generator<BookEvent | LeftOut, void> {
  const [first] = group?.entries ?? [];
  if (!group || !first) return;
  const { entries } = group;
  if (entries.some(({ amount, fee }) => amount === null || fee === null)) yield { reason: reasons.unknown, entries };
  else if (entries.every(({ amount, fee }) => isZero(amount ?? "0") && isZero(fee ?? "0")))
    yield { reason: reasons.unchanged, entries };
  else if (entries.some(isTrade)) yield* tradeOf(first, entries);
  else for (const entry of entries) yield* singlesOf(entry);
}

/** Yields one exchange of two coins, and those of its fees that are beside it. */
function* tradeOf(first: BookEntry, entries: readonly BookEntry[]): Generator<BookEvent | LeftOut, void> {
  const legs = totals(entries.map(({ coin, amount }) => [coin, amount ?? "0"]));
  const fees = totals(entries.map(({ coin, fee }) => [coin, fee ?? "0"]));
  const [received, sent] = [legs.filter(isIn), legs.filter((leg) => !isIn(leg))];
  if (received.length > 1 || sent.length > 1) return yield { reason: reasons.several, entries };
  if (received.length + sent.length === 1) return yield { reason: reasons.oneSided, entries };
  const own = legs.length === 2 ? fees.find((fee) => !isIn(fee)) : undefined;
  if (received[0] && sent[0])
    yield {
      ...factsOf(first, "trade"),
      received: moneyOf(received[0]),
      sent: moneyOf(sent[0]),
      fee: own ? moneyOf(own) : null,
    };
  for (const fee of fees) if (fee !== own) yield single(first, "fee", fee);
}

type Total = readonly [coin: string, amount: DecimalString];

/** Returns the sum of each coin, those that are zero left out. */
function totals(amounts: readonly Total[]): Total[] {
  const sums = new Map<string, DecimalString>();
  for (const [coin, amount] of amounts) sums.set(coin, add(sums.get(coin) ?? "0", amount));
  return [...sums].filter(([, amount]) => !isZero(amount));
}

const isIn = ([, amount]: Total): boolean => isPositive(amount);

/** Yields what an entry is by itself: its amount, and its fee as an event of its own unless a deposit or withdrawal paid it. */
function* singlesOf(entry: BookEntry): Generator<BookEvent, void> {
  const { coin } = entry;
  const [amount, fee] = [add(entry.amount ?? "0", "0"), add(entry.fee ?? "0", "0")];
  const kind = kindOf(entry);
  const isPaidWithIt = (kind === "deposit" || kind === "withdrawal") && !isZero(amount) && !isPositive(fee);
  if (!isZero(amount))
    yield {
      ...single(entry, kind, [coin, amount]),
      fee: isPaidWithIt && !isZero(fee) ? moneyOf([coin, fee]) : null,
    };
  if (!isZero(fee) && !isPaidWithIt) yield single(entry, isFutures(entry) ? "futures fee" : "fee", [coin, fee]);
}

const kinds: Readonly<Record<string, EventKind>> = {
  ...{ deposit: "deposit", withdrawal: "withdrawal", transfer: "transfer", funding: "funding", reward: "reward" },
  ...{ interest: "interest", borrow: "borrow", repay: "repay", fee: "fee", trade: "result", liquidation: "result" },
};

const kindOf = ({ kind }: BookEntry): EventKind => kinds[kind] ?? "other";

const single = (entry: BookEntry, kind: EventKind, total: Total): BookEvent => ({
  ...factsOf(entry, kind),
  received: isIn(total) ? moneyOf(total) : null,
  sent: isIn(total) ? null : moneyOf(total),
  fee: null,
});

const factsOf = ({ at, account, type, symbol, id }: BookEntry, kind: EventKind) => ({
  ...{ kind, at, account, type, symbol, id },
});

const moneyOf = ([coin, amount]: Total): Money => ({ coin, amount: absolute(amount) });
