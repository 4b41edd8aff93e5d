/** Everything that a simulated account did and that the exchange still lists. */
import { dayMs } from "../../core/time.ts";
import type { Listed } from "../list-faults.ts";
import type { Amount } from "../market/amount.ts";
import type { Entry, Mode, WalletName } from "./entry.ts";
import { Ledger, removeBefore } from "./ledger.ts";
import type { ClosedPosition, Fill, Payment, Transfer } from "./listed.ts";
import { snowflake } from "./snowflake.ts";

/** How long the exchange lists what happened, and some days more. */
const keptMs = 95 * dayMs;

export class LedgerBook {
  readonly fills: Fill[] = [];
  readonly closed: ClosedPosition[] = [];
  readonly payments: Payment[] = [];
  readonly transfers: Transfer[] = [];
  /** Of the mode's accounts, by wallet and coin: the balances before the first entry. */
  readonly #openings: Record<Mode, Map<string, Amount>> = { classic: new Map(), unified: new Map() };
  readonly #ledgers = new Map<Mode, Ledger>();
  readonly #entries: Entry[] = [];
  /** Returns what is frozen or locked of a spot coin; null if the balances of the ledger contain it. */
  frozenOf: ((coin: string) => Amount) | null = null;
  #serial = 0;
  #appliedAt = Number.NEGATIVE_INFINITY;
  #forgotAt = Number.NEGATIVE_INFINITY;

  /** Sets the balance of a coin at the start, before any entry. */
  open(wallet: WalletName, coin: string, balance: Amount): void {
    for (const openings of Object.values(this.#openings)) openings.set(`${wallet} ${coin}`, balance);
  }

  add(facts: Omit<Entry, "serial" | "change" | "fee"> & Partial<Pick<Entry, "change" | "fee">>): void {
    const { fee = 0n, change = facts.amount + fee } = facts;
    const entry: Entry = { ...facts, fee, change, at: this.timeOf(facts.at), serial: this.nextSerial() };
    if (this.frozenOf && facts.wallet === "spot") entry.frozen = this.frozenOf(facts.coin);
    this.#entries.push(entry);
    for (const ledger of this.#ledgers.values()) ledger.add(entry);
  }

  /** Sets the time from which the state contains what follows: nothing is booked earlier. Epoch ms. */
  applyAt(instant: number): void {
    this.#appliedAt = instant;
  }

  /** Returns when something that happened at `moment` is booked. Epoch ms. */
  timeOf(moment: number): number {
    return Math.max(moment, this.#appliedAt);
  }

  /** Returns a number that grows with every call. */
  nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** Returns an id that no other row of this account has. */
  idAt(instant: number): string {
    return snowflake(instant, this.nextSerial());
  }

  /** Returns the ledger of the account as a classic or unified one, which is kept up to date from then on. */
  ledger(mode: Mode): Ledger {
    const known = this.#ledgers.get(mode);
    if (known) return known;
    const ledger = new Ledger(mode, this.#openings[mode]);
    for (const entry of this.#entries) ledger.add(entry);
    this.#ledgers.set(mode, ledger);
    return ledger;
  }

  /** Removes what the exchange no longer lists, once a day of simulated time. */
  forget(now: number): void {
    if (now - this.#forgotAt < dayMs) return;
    this.#forgotAt = now;
    const before = now - keptMs;
    for (const ledger of this.#ledgers.values()) ledger.forget(before);
    for (const entry of removeBefore(this.#entries, before)) this.#carryForward(entry);
    for (const list of [this.fills, this.closed, this.payments, this.transfers]) removeBefore<Listed>(list, before);
  }

  #carryForward({ wallet, coin, change, only }: Entry): void {
    for (const mode of ["classic", "unified"] as const) {
      if (only && only !== mode) continue;
      const openings = this.#openings[mode];
      const key = `${wallet} ${coin}`;
      openings.set(key, (openings.get(key) ?? 0n) + change);
    }
  }
}
