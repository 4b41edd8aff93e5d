/** Reads the entries of the exchange's ledger by account, each with the price at its time. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { hourMs } from "../../core/time.ts";
import { amountOf, withoutInternal } from "../../queries/flows.ts";
import { feeOf } from "../../queries/ledger.ts";
import { Prices } from "../../queries/prices.ts";
import type { Source } from "../../queries/source.ts";
import type { Booking } from "../../returns/attribution.ts";
import type { LedgerEntry, Span } from "../../store/history.ts";

/** Funding changes the balance at a full hour; its entry may have a time up to so much later. Milliseconds. */
const fundingLagMs = 15_000;

/** The entries of a span in the order of time, without transfers between wallets of one account. Close it after use. */
export class Bookings {
  readonly #prices: Prices;
  readonly #entries: Generator<LedgerEntry, void>;
  /** By account, what was read and not taken. */
  readonly #pending = new Map<string, { bookedAt: number; booking: Booking }[]>();
  #next: IteratorResult<LedgerEntry, void>;

  constructor({ history, account }: Source, span: Span) {
    this.#prices = new Prices(history);
    this.#entries = withoutInternal(history.entries(account, span));
    this.#next = this.#entries.next();
  }

  /** Returns the entries of each account that changed its balances up to an instant (inclusive), since the instant of the call before. */
  *takeTo(ends: ReadonlyMap<string, number>): Steps<Map<string, Booking[]>> {
    const last = Math.max(...ends.values()) + fundingLagMs;
    for (; !this.#next.done && this.#next.value.at <= last; this.#next = this.#entries.next()) {
      if (ends.has(this.#next.value.account)) this.#add(this.#next.value);
      yield pause;
    }
    const taken = new Map<string, Booking[]>();
    for (const [account, end] of ends) {
      const all = this.#pending.get(account) ?? [];
      const isDue = ({ bookedAt }: { bookedAt: number }) => bookedAt <= end;
      this.#pending.set(
        account,
        all.filter((one) => !isDue(one)),
      );
      taken.set(
        account,
        all.filter(isDue).map(({ booking }) => booking),
      );
    }
    return taken;
  }

  close(): void {
    this.#entries.return();
  }

  #add(entry: LedgerEntry): void {
    const { account, coin, kind, at } = entry;
    const price = this.#prices.at(coin, at);
    const booking = { coin: coin.toUpperCase(), kind, amount: amountOf(entry), fee: feeOf(entry), price };
    const pending = this.#pending.get(account) ?? [];
    this.#pending.set(account, pending);
    pending.push({ bookedAt: bookedAt(entry), booking });
  }
}

function bookedAt({ kind, at }: LedgerEntry): number {
  const sinceHour = at % hourMs;
  return kind === "funding" && sinceHour <= fundingLagMs ? at - sinceHour : at;
}
