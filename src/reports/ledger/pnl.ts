/** What changed the equity of an account, term by term. */
import type { Steps } from "../../core/async/cooperate.ts";
import { sumOf } from "../../core/decimal.ts";
import type { Cell } from "../../core/domain.ts";
import { instantText } from "../../queries/close.ts";
import { equityOf, otherPartOf } from "../../queries/equity.ts";
import { ledgersCause } from "../../queries/flows.ts";
import { type Period, periodOf, periodsOf, spanOf } from "../../queries/periods.ts";
import { Prices } from "../../queries/prices.ts";
import type { Source } from "../../queries/source.ts";
import { type Attribution, attribute, type Booking, type Ends, type Holding } from "../../returns/attribution.ts";
import type { WalletLedger } from "../../store/history.ts";
import type { Report } from "../report.ts";
import { type AccountClose, createAccountCloses, heldIn, isUnified } from "./account-close.ts";
import { Bookings } from "./bookings.ts";

const results = ["realized", "funding", "fees", "interest", "unrealized", "prices"] as const;
const terms = ["flows", ...results, "other", "unexplained"] as const;

export const pnl: Report = {
  name: "pnl",
  summary: "what changed the equity: money paid in and out, results, fees, prices, and what nothing explains",
  columns: [
    ...["day", "account", "opening", "closing", "change", "profit", ...terms],
    ...["opening_at", "closing_at", "unpriced", "unknown"],
  ],
  usesLedger: true,
  money: { atClose: ["closing"], during: ["profit", ...terms] },
  *rows(source, span) {
    const whole = spanOf(span);
    if (!whole) return;
    const prices = new Prices(source.history);
    const accounts = accountsOf(source, prices);
    const periods = [periodOf(span.timezone, span.by, whole.from - 1), ...periodsOf(span)];
    // Entries are read last, because nothing else can be read meanwhile.
    const closes: Map<string, AccountClose>[] = [];
    for (const period of periods) closes.push(yield* closesAt(accounts, period));
    const ends = closes.map((own) => new Map([...own].map(([name, { at }]) => [name, at])));
    const from = Math.min(whole.from, ...(ends[0]?.values() ?? []));
    const bookings = new Bookings(source, prices, { from, to: whole.to });
    try {
      for (const [at, period] of periods.entries()) {
        const taken = yield* bookings.takeTo(ends[at] ?? new Map());
        if (at === 0) continue;
        for (const { name, ledgers } of accounts) {
          const [opening, closing] = [closes[at - 1]?.get(name), closes[at]?.get(name)];
          const records = { ledgers, bookings: taken.get(name) ?? [] };
          if (closing) yield [period.name, name, ...cellsOf(opening, closing, records)];
        }
      }
    } finally {
      bookings.close();
    }
  },
};

interface Account {
  name: string;
  ledgers: readonly WalletLedger[];
  closeAt: ReturnType<typeof createAccountCloses>;
}

const accountsOf = (source: Source, prices: Prices): Account[] =>
  source.history
    .series(source.account)
    .filter(({ dataset }) => dataset === "equity")
    .map(({ account: name }) => {
      const ledgers = source.history.ledgers(name);
      return { name, ledgers, closeAt: createAccountCloses(source, { name, ledgers, prices }) };
    });

/** Returns the closes by account, of those that existed. */
function* closesAt(accounts: readonly Account[], period: Period): Steps<Map<string, AccountClose>> {
  const closes = new Map<string, AccountClose>();
  for (const { name, closeAt } of accounts) {
    const close = yield* closeAt(period);
    if (close) closes.set(name, close);
  }
  return closes;
}

/** What an account did between two closes. */
interface Records {
  ledgers: readonly WalletLedger[];
  bookings: readonly Booking[];
}

function cellsOf(opening: AccountClose | undefined, closing: AccountClose, records: Records): Cell[] {
  const found = explain(opening, closing, records);
  return [
    equityOf(opening?.equity),
    equityOf(closing.equity),
    found.change ?? null,
    sumOf(results.map((name) => found[name] ?? null)),
    ...terms.map((name) => found[name] ?? null),
    instantText(opening?.equity.takenAt ?? null),
    instantText(closing.equity.takenAt),
    textOf(found.unpriced ?? []),
    textOf(found.unknown),
  ];
}

const textOf = (parts: readonly string[]): string | null => (parts.length > 0 ? parts.join("; ") : null);

/** Explains the change between two closes; without the equity at one of them only what was booked in between is known. */
function explain(
  opening: AccountClose | undefined,
  closing: AccountClose,
  { ledgers, bookings }: Records,
): Partial<Attribution> & Pick<Attribution, "unknown"> {
  if (!opening) return { unknown: [noOpening] };
  const cause = ledgersCause(ledgers, { from: opening.at + 1, to: closing.at + 1 });
  const booked = { bookings: cause === null ? bookings : null };
  const equity = { opening: equityOf(opening.equity), closing: equityOf(closing.equity) };
  const causes = cause === null ? [] : [cause];
  if (equity.opening === null || equity.closing === null) {
    const found = attribute({ equity, other: { opening: null, closing: null }, coins: null, ...booked });
    const missing = equity.opening === null ? noOpening : "the equity at the end";
    return { ...found, unknown: [...causes, ...found.unknown, missing] };
  }
  const withFunding = isUnified(closing);
  const held = { opening: heldIn(opening.wallets, withFunding), closing: heldIn(closing.wallets, withFunding) };
  const otherAt = ({ equity }: AccountClose) => otherPartOf(equity.rows[0], withFunding);
  const missing = [held.opening, held.closing].filter((one) => typeof one === "string");
  const found = attribute({
    equity,
    other: { opening: otherAt(opening), closing: otherAt(closing) },
    coins: coinsOf({ opening, closing }, held, bookings),
    ...booked,
  });
  return { ...found, unknown: [...causes, ...new Set(missing), ...found.unknown] };
}

const noOpening = "the equity at the beginning";

/** Returns every coin that was held at either end or has a booking; null if what was held is unknown. */
function coinsOf(
  closes: Ends<AccountClose>,
  held: Ends<ReturnType<typeof heldIn>>,
  bookings: readonly Booking[],
): Map<string, Ends<Holding>> | null {
  const { opening, closing } = held;
  if (typeof opening === "string" || typeof closing === "string") return null;
  const names = new Set([...opening.keys(), ...closing.keys(), ...bookings.map(({ coin }) => coin)]);
  const nothing: Holding = { balance: "0", unrealized: "0", price: undefined };
  const holding = (coin: string, before = opening.get(coin)): Ends<Holding> => ({
    opening: before ? { ...before, price: closes.opening.priceOf(coin) } : nothing,
    closing: { ...(closing.get(coin) ?? nothing), price: closes.closing.priceOf(coin) },
  });
  return new Map([...names].map((coin) => [coin, holding(coin)]));
}
