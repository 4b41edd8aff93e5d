/** The exchange's rate limits: requests a second per endpoint and user, and a minute per IP address. */
import { type Clock, sleep } from "../../core/clock.ts";
import type { ApiEndpoint } from "../../core/domain.ts";
import { minuteMs } from "../../core/time.ts";
import { maxRequestsPerMinutePerIp } from "../endpoints.ts";
import { type Permit, SlidingWindowLimiter } from "./sliding-window.ts";

const second = 1000;

/** Consecutive refusals from different paths after which the limit is not that of one path. */
const refusalsOfAll = 3;
/** How long an IP address that exceeded its limit is banned (https://www.bitget.com/api-doc/, changelog of 2025-08-11). */
const ipBanMs = 5 * minuteMs;

/** Requests that may be sent now, per endpoint and account. */
export interface Budget {
  /** Null: of what is counted per IP address. */
  account: string | null;
  /** Null: all endpoints together. */
  path: string | null;
  requests: number;
}

/** The number of keys one user can have (https://www.bitget.com/api-doc/uta/guide). */
const maxKeys = 10;

/** Whose budget a request counts against: a user, an account whose user is not known, or (null) this machine. */
type Owner = string | null;

interface PathBudget {
  owner: Owner;
  path: string;
  window: SlidingWindowLimiter;
  /** The accounts that sent requests; null for public requests. */
  accounts: Set<string | null>;
}

/** One for the whole program: all accounts share the limits per IP address, all keys of a user its limits. */
export class Limiter {
  readonly #clock: Clock;
  readonly #addresses = new Map<string, PathBudget>();
  readonly #perIp: SlidingWindowLimiter;
  readonly #users = new Map<string, string>();
  readonly #mayBeOneUser: boolean;
  /** Monotonic instants. */
  readonly #pausedUntil = new Map<string, number>();
  readonly #ownerPausedUntil = new Map<Owner, number>();
  #allPausedUntil = Number.NEGATIVE_INFINITY;
  /** The paths that refused since the last good response to any account, by owner. */
  readonly #refusing = new Map<Owner, Set<string>>();

  /** `accounts`: how many there are. With no more than one user can have keys, all may be those of one until that is known. */
  constructor(clock: Clock, accounts = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#mayBeOneUser = accounts <= maxKeys;
    this.#perIp = new SlidingWindowLimiter(maxRequestsPerMinutePerIp, minuteMs, clock);
  }

  /**
   * Counts the account's requests together with those of the other keys of this user (the exchange's id of it) from now on.
   * Returns the other accounts of that user that are known; none where nothing is new.
   */
  identify(account: string, user: string): string[] {
    if (this.#users.get(account) === user) return [];
    const others = [...this.#users].filter(([, other]) => other === user).map(([name]) => name);
    this.#users.set(account, user);
    return others;
  }

  /**
   * Resolves when a request of this account (null: a public one) may be sent and every pause is over. The function it resolves
   * with must be called when the response has arrived, or with false when it will not. Rejects with the signal's reason.
   */
  async take(account: string | null, address: ApiEndpoint, signal: AbortSignal): Promise<(answered?: boolean) => void> {
    const owner = this.#ownerOf(account, address);
    const taken: Permit[] = [];
    try {
      taken.push(await this.#windowOf(owner, account, address).take(signal));
      taken.push(await this.#perIp.take(signal));
      await this.#pausesOver(owner, address.path, signal);
    } catch (reason) {
      for (const permit of taken) permit.cancel();
      throw reason;
    }
    return (answered = true) => {
      for (const permit of taken.splice(0)) permit[answered ? "release" : "releaseUncertain"]();
    };
  }

  /**
   * Records a refusal: no request of the same budget is sent to this endpoint for `ms`, queued ones included. A refusal does
   * not state which limit was exceeded: several in a row on different paths mean the user's, and with another user or a
   * public endpoint among them, that of the internet address.
   */
  pause(account: string | null, address: ApiEndpoint, ms: number): void {
    const owner = this.#ownerOf(account, address);
    const { path } = address;
    prolong(this.#pausedUntil, keyOf(owner, path), this.#clock.monotonic() + ms);
    this.#refusing.set(owner, (this.#refusing.get(owner) ?? new Set()).add(path));
    const paths = new Set([...this.#refusing.values()].flatMap((some) => [...some]));
    if (paths.size < refusalsOfAll) return;
    if (this.#refusing.size > 1) this.#pauseAll(ipBanMs);
    else if (owner !== null) prolong(this.#ownerPausedUntil, owner, this.#clock.monotonic() + ipBanMs);
  }

  /** True while requests of this account to this address are held back because of a refusal. */
  isPaused(account: string | null, address: ApiEndpoint): boolean {
    return this.#pauseOf(this.#ownerOf(account, address), address.path) > 0;
  }

  /** Resets the count of consecutive refusals after a success. */
  accepted(): void {
    this.#refusing.clear();
  }

  /** Returns the budgets of all endpoints requested so far; zero during a pause. Keys of one user share one budget. */
  budget(): Budget[] {
    const all = [...this.#addresses.values()].flatMap(({ owner, path, window, accounts }) => {
      const requests = this.#pauseOf(owner, path) > 0 ? 0 : window.free;
      return [...accounts].map((account) => ({ account, path, requests }));
    });
    const machine = this.#allPausedUntil > this.#clock.monotonic() ? 0 : this.#perIp.free;
    return [...all, { account: null, path: null, requests: machine }];
  }

  close(): void {
    for (const { window } of this.#addresses.values()) window.close();
    this.#perIp.close();
  }

  /** No request at all leaves for `ms`. */
  #pauseAll(ms: number): void {
    this.#allPausedUntil = Math.max(this.#allPausedUntil, this.#clock.monotonic() + ms);
    this.#refusing.clear();
  }

  #ownerOf(account: string | null, { per, name }: ApiEndpoint): Owner {
    if (per === "ip" || account === null) return null;
    const user = this.#users.get(account);
    if (user !== undefined) return `user ${user}`;
    // The endpoint that returns the user is limited per user as well.
    return this.#mayBeOneUser && name.endsWith("/key") ? "user not known yet" : `account ${account}`;
  }

  #windowOf(owner: Owner, account: string | null, { path, per, perSecond }: ApiEndpoint): SlidingWindowLimiter {
    const key = keyOf(owner, path);
    let known = this.#addresses.get(key);
    if (known === undefined) {
      const window = new SlidingWindowLimiter(perSecond, second, this.#clock);
      known = { owner, path, window, accounts: new Set() };
      this.#addresses.set(key, known);
    }
    known.accounts.add(per === "uid" ? account : null);
    return known.window;
  }

  /** A pause may be prolonged while it is waited for. */
  async #pausesOver(owner: Owner, path: string, signal: AbortSignal): Promise<void> {
    for (let wait = this.#pauseOf(owner, path); wait > 0; wait = this.#pauseOf(owner, path)) {
      await sleep(this.#clock, Math.ceil(wait), signal);
    }
  }

  /** What is left of a pause. Milliseconds; zero or less where there is none. */
  #pauseOf(owner: Owner, path: string): number {
    const until = Math.max(
      this.#allPausedUntil,
      this.#ownerPausedUntil.get(owner) ?? Number.NEGATIVE_INFINITY,
      this.#pausedUntil.get(keyOf(owner, path)) ?? Number.NEGATIVE_INFINITY,
    );
    return until - this.#clock.monotonic();
  }
}

const keyOf = (owner: Owner, path: string): string => (owner === null ? path : `${owner} ${path}`);

function prolong<Key>(pauses: Map<Key, number>, key: Key, until: number): void {
  pauses.set(key, Math.max(until, pauses.get(key) ?? until));
}
