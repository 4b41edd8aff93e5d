/** Reads the entries of the exchange's ledger by account, each with the price at its time. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { amountOf, withoutInternal } from "../../queries/flows.ts";
import { feeOf } from "../../queries/ledger.ts";
import type { Prices } from "../../queries/prices.ts";
import type { Source } from "../../queries/source.ts";
import { fundingLagMs, fundingPaidAt } from "../../reconciliation/funding.ts";
import type { Booking, Price } from "../../returns/attribution.ts";
import type { LedgerEntry, Span } from "../../store/history.ts";

/** An entry that was read, with the price of its coin at its time. */
interface Priced {
  entry: LedgerEntry;
  price: Price;
}

/** The entries of a span in the order of time. Close it after use. */
export class Bookings {
  readonly #prices: Prices;
  readonly #entries: Iterator<LedgerEntry, void>;
  /** By account, what was read and not taken. */
  readonly #pending = new Map<string, Priced[]>();
  #next: IteratorResult<LedgerEntry, void>;

  constructor({ history, account }: Source, prices: Prices, span: Span) {
    this.#prices = prices;
    this.#entries = history.entries(account, span)[Symbol.iterator]();
    this.#next = this.#entries.next();
  }

  /**
   * Returns the entries of each account that changed its balances up to an instant (inclusive), since the instant of the call before.
   * Transfers between its wallets are left out; of one that was on its way at an instant, each entry is there.
   */
  *takeTo(ends: ReadonlyMap<string, number>): Steps<Map<string, Booking[]>> {
    const last = Math.max(...ends.values()) + fundingLagMs;
    for (; !this.#next.done && this.#next.value.at <= last; this.#next = this.#entries.next()) {
      if (ends.has(this.#next.value.account)) this.#add(this.#next.value);
      yield pause;
    }
    const taken = new Map<string, Booking[]>();
    for (const [account, end] of ends) {
      const all = this.#pending.get(account) ?? [];
      const due = all.filter(({ entry }) => bookedAt(entry) <= end);
      const counted = new Set(withoutInternal(due.map(({ entry }) => entry)));
      taken.set(account, due.filter(({ entry }) => counted.has(entry)).map(bookingOf));
      this.#pending.set(
        account,
        all.filter(({ entry }) => bookedAt(entry) > end),
      );
    }
    return taken;
  }

  close(): void {
    this.#entries.return?.();
  }

  #add(entry: LedgerEntry): void {
    const pending = this.#pending.get(entry.account) ?? [];
    this.#pending.set(entry.account, pending);
    pending.push({ entry, price: this.#prices.at(entry.coin, entry.at) });
  }
}

const bookingOf = ({ entry, price }: Priced): Booking => ({
  coin: entry.coin.toUpperCase(),
  kind: entry.kind,
  amount: amountOf(entry),
  fee: feeOf(entry),
  price,
});

const bookedAt = ({ kind, at }: LedgerEntry): number => (kind === "funding" ? fundingPaidAt(at) : at);
