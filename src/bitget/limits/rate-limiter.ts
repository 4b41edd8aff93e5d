/** The exchange's rate limits: requests a second per endpoint and user, and a minute per IP address. */
import { type Clock, sleep } from "../../core/clock.ts";
import type { ApiEndpoint } from "../../core/domain.ts";
import { minuteMs } from "../../core/time.ts";
import { sourceAddressOf } from "../../network/source-addresses.ts";
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
  /** The source address of a budget of all endpoints together; null: the system chooses it. */
  address?: string | null;
}

/** The number of keys one user can have (https://www.bitget.com/api-doc/uta/guide). */
const maxKeys = 10;

/** Whose budget a request counts against: a user, an account whose user is not known, or an address of this machine. */
type Owner = string;

interface PathBudget {
  owner: Owner;
  path: string;
  window: SlidingWindowLimiter;
  /** The accounts that sent requests; null for public requests. */
  accounts: Set<string | null>;
  /** Of the account that sent the first request. */
  state: AddressState;
}

/** What the exchange counts for one of our internet addresses. */
interface AddressState {
  perIp: SlidingWindowLimiter;
  /** A monotonic instant. */
  pausedUntil: number;
  /** The paths that refused since the last good response, by owner. */
  refusing: Map<Owner, Set<string>>;
}

export interface LimiterOptions {
  /** How many there are. With no more than one user can have keys, all may be those of one until that is known. Default: many. */
  accounts?: number;
  /** The budget of one address. */
  requestsPerMinute?: number;
  /** Default: one, which the system chooses. */
  sourceAddresses?: readonly string[];
}

/** One for the whole program: all accounts of an address share the limits per IP address, all keys of a user its limits. */
export class Limiter {
  readonly #clock: Clock;
  readonly #paths = new Map<string, PathBudget>();
  readonly #sourceAddresses: readonly string[];
  readonly #addresses: ReadonlyMap<string | null, AddressState>;
  readonly #users = new Map<string, string>();
  readonly #mayBeOneUser: boolean;
  /** Monotonic instants. */
  readonly #pausedUntil = new Map<string, number>();
  readonly #ownerPausedUntil = new Map<Owner, number>();

  constructor(clock: Clock, options: LimiterOptions = {}) {
    const { accounts = Number.POSITIVE_INFINITY, requestsPerMinute = maxRequestsPerMinutePerIp } = options;
    this.#clock = clock;
    this.#mayBeOneUser = accounts <= maxKeys;
    this.#sourceAddresses = options.sourceAddresses ?? [];
    const newState = (): AddressState => ({
      perIp: new SlidingWindowLimiter(requestsPerMinute, minuteMs, clock),
      pausedUntil: Number.NEGATIVE_INFINITY,
      refusing: new Map(),
    });
    const sources = this.#sourceAddresses.length > 0 ? this.#sourceAddresses : [null];
    this.#addresses = new Map(sources.map((source) => [source, newState()]));
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
      taken.push(await this.#addressOf(account).perIp.take(signal));
      await this.#pausesOver(account, address, signal);
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
    prolong(this.#pausedUntil, `${owner} ${path}`, this.#clock.monotonic() + ms);
    const state = this.#addressOf(account);
    const { refusing } = state;
    refusing.set(owner, (refusing.get(owner) ?? new Set()).add(path));
    const paths = new Set([...refusing.values()].flatMap((some) => [...some]));
    if (paths.size < refusalsOfAll) return;
    const until = this.#clock.monotonic() + ipBanMs;
    if (refusing.size > 1) {
      state.pausedUntil = Math.max(state.pausedUntil, until);
      refusing.clear();
    } else if (owner !== this.#ownerPerIp(account)) prolong(this.#ownerPausedUntil, owner, until);
  }

  /** True while requests of this account to this address are held back because of a refusal. */
  isPaused(account: string | null, address: ApiEndpoint): boolean {
    return this.#pauseOf(account, address) > 0;
  }

  /** Resets the count of consecutive refusals after a success of this account. */
  accepted(account: string | null): void {
    this.#addressOf(account).refusing.clear();
  }

  /**
   * Returns the budgets of all endpoints requested so far, and that of each address for all endpoints; zero during a pause. Keys of
   * one user share one budget. Of endpoints that are counted per address, the smallest budget is returned.
   */
  budget(): Budget[] {
    const byName = new Map<string, Budget>();
    for (const { owner, path, window, accounts, state } of this.#paths.values()) {
      for (const account of accounts) {
        const isPaused = this.#pausedMs(owner, path, account === null ? state : this.#addressOf(account)) > 0;
        const others = byName.get(`${account} ${path}`)?.requests ?? Number.POSITIVE_INFINITY;
        byName.set(`${account} ${path}`, { account, path, requests: isPaused ? 0 : Math.min(window.free, others) });
      }
    }
    const now = this.#clock.monotonic();
    const ofAddresses = [...this.#addresses].map(([address, { perIp, pausedUntil }]) => {
      return { account: null, path: null, address, requests: pausedUntil > now ? 0 : perIp.free };
    });
    return [...byName.values(), ...ofAddresses];
  }

  close(): void {
    for (const { window } of this.#paths.values()) window.close();
    for (const { perIp } of this.#addresses.values()) perIp.close();
  }

  #addressOf(account: string | null): AddressState {
    const state = this.#addresses.get(sourceAddressOf(account, this.#sourceAddresses));
    if (!state) throw new Error("every account has a source address");
    return state;
  }

  #ownerOf(account: string | null, { per, name }: ApiEndpoint): Owner {
    if (per === "ip" || account === null) return this.#ownerPerIp(account);
    const user = this.#users.get(account);
    if (user !== undefined) return `user ${user}`;
    // The endpoint that returns the user is limited per user as well.
    return this.#mayBeOneUser && name.endsWith("/key") ? "user not known yet" : `account ${account}`;
  }

  #ownerPerIp(account: string | null): Owner {
    return `address ${sourceAddressOf(account, this.#sourceAddresses)}`;
  }

  #windowOf(owner: Owner, account: string | null, { path, per, perSecond }: ApiEndpoint): SlidingWindowLimiter {
    const key = `${owner} ${path}`;
    let known = this.#paths.get(key);
    if (known === undefined) {
      const window = new SlidingWindowLimiter(perSecond, second, this.#clock);
      known = { owner, path, window, accounts: new Set(), state: this.#addressOf(account) };
      this.#paths.set(key, known);
    }
    known.accounts.add(per === "uid" ? account : null);
    return known.window;
  }

  /** A pause may be prolonged while it is waited for. */
  async #pausesOver(account: string | null, endpoint: ApiEndpoint, signal: AbortSignal): Promise<void> {
    for (let wait = this.#pauseOf(account, endpoint); wait > 0; wait = this.#pauseOf(account, endpoint)) {
      await sleep(this.#clock, Math.ceil(wait), signal);
    }
  }

  #pauseOf(account: string | null, endpoint: ApiEndpoint): number {
    return this.#pausedMs(this.#ownerOf(account, endpoint), endpoint.path, this.#addressOf(account));
  }

  /** What is left of a pause. Milliseconds; zero or less where there is none. */
  #pausedMs(owner: Owner, path: string, { pausedUntil }: AddressState): number {
    const until = Math.max(
      pausedUntil,
      this.#ownerPausedUntil.get(owner) ?? Number.NEGATIVE_INFINITY,
      this.#pausedUntil.get(`${owner} ${path}`) ?? Number.NEGATIVE_INFINITY,
    );
    return until - this.#clock.monotonic();
  }
}

function prolong<Key>(pauses: Map<Key, number>, key: Key, until: number): void {
  pauses.set(key, Math.max(until, pauses.get(key) ?? until));
}
