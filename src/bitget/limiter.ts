/** The exchange's patience: so many requests a second per address and user, so many a minute from this machine. */
import { type Clock, sleep } from "../clock.ts";
import type { Address } from "../domain.ts";
import { perMinutePerAddress } from "./addresses.ts";
import { type Permit, Permits } from "./permits.ts";

const second = 1000;
const minute = 60_000;

/** Refusals in a row, each from another address, after which it is this machine that is being refused. */
const refusalsOfMachine = 3;
/** How long a machine that asked too much is refused (https://www.bitget.com/api-doc/, changelog of 2025-08-11). */
const machinePenalty = 5 * minute;

/** What is left to be asked at once, of an address for an account (null: for this machine), or of everything. */
export interface Budget {
  /** Null: of what counts per internet address. */
  account: string | null;
  /** Null: every address together. */
  path: string | null;
  requests: number;
}

/** One for the whole program: what counts per internet address is shared by all accounts. */
export class Limiter {
  readonly #clock: Clock;
  readonly #addresses = new Map<string, { account: string | null; path: string; permits: Permits }>();
  readonly #machine: Permits;
  /** Monotonic instants. */
  readonly #pausedUntil = new Map<string, number>();
  #allPausedUntil = Number.NEGATIVE_INFINITY;
  /** The paths that refused since the last good answer. */
  readonly #refusing = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#machine = new Permits(perMinutePerAddress, minute, clock);
  }

  /**
   * Resolves when a request of this account (null: of nobody) may leave, every pause over. The function it resolves
   * with must be called when the answer is there, or with false when it will not come. Rejects with the signal's reason.
   */
  async take(account: string | null, address: Address, signal: AbortSignal): Promise<(answered?: boolean) => void> {
    const key = keyOf(account, address);
    const taken: Permit[] = [];
    try {
      taken.push(await this.#permitsOf(key, account, address).take(signal));
      taken.push(await this.#machine.take(signal));
      await this.#pausesOver(key, signal);
    } catch (reason) {
      for (const permit of taken) permit.unused();
      throw reason;
    }
    return (answered = true) => {
      for (const permit of taken.splice(0)) permit[answered ? "used" : "lost"]();
    };
  }

  /** The exchange refused: no request of this account leaves for this address for `ms`, queued ones included. */
  pause(account: string | null, address: Address, ms: number): void {
    const key = keyOf(account, address);
    const until = this.#clock.monotonic() + ms;
    this.#pausedUntil.set(key, Math.max(until, this.#pausedUntil.get(key) ?? until));
    this.#refusing.add(address.path);
    if (this.#refusing.size >= refusalsOfMachine) this.#pauseAll(machinePenalty);
  }

  /** True while requests of this account to this address are held back because of a refusal. */
  isPaused(account: string | null, address: Address): boolean {
    return this.#pauseOf(keyOf(account, address)) > 0;
  }

  /** The exchange answered: refusals before this one are no row. */
  accepted(): void {
    this.#refusing.clear();
  }

  /** Of everything that was asked so far; nothing while a refusal is waited for. */
  budget(): Budget[] {
    const left = (key: string, permits: Permits) => (this.#pauseOf(key) > 0 ? 0 : permits.free);
    const all = [...this.#addresses].map(([key, { account, path, permits }]) => ({
      account,
      path,
      requests: left(key, permits),
    }));
    return [...all, { account: null, path: null, requests: left("", this.#machine) }];
  }

  close(): void {
    for (const { permits } of this.#addresses.values()) permits.close();
    this.#machine.close();
  }

  /** No request at all leaves for `ms`. */
  #pauseAll(ms: number): void {
    this.#allPausedUntil = Math.max(this.#allPausedUntil, this.#clock.monotonic() + ms);
    this.#refusing.clear();
  }

  #permitsOf(key: string, account: string | null, { path, per, perSecond }: Address): Permits {
    let known = this.#addresses.get(key);
    if (known === undefined) {
      const permits = new Permits(perSecond, second, this.#clock);
      known = { account: per === "uid" ? account : null, path, permits };
      this.#addresses.set(key, known);
    }
    return known.permits;
  }

  /** A pause may be prolonged while it is waited for. */
  async #pausesOver(key: string, signal: AbortSignal): Promise<void> {
    for (let wait = this.#pauseOf(key); wait > 0; wait = this.#pauseOf(key)) {
      await sleep(this.#clock, Math.ceil(wait), signal);
    }
  }

  /** What is left of a pause. Milliseconds; zero or less where there is none. */
  #pauseOf(key: string): number {
    const until = Math.max(this.#allPausedUntil, this.#pausedUntil.get(key) ?? Number.NEGATIVE_INFINITY);
    return until - this.#clock.monotonic();
  }
}

const keyOf = (account: string | null, address: Address): string =>
  address.per === "uid" ? `${account} ${address.path}` : address.path;
