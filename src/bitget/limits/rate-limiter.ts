/** The exchange's rate limits: requests a second per endpoint and user, and a minute per IP address. */
import { type Clock, sleep } from "../../core/clock.ts";
import type { ApiEndpoint } from "../../core/domain.ts";
import { minuteMs } from "../../core/time.ts";
import { sourceAddressOf } from "../../network/source-addresses.ts";
import { maxRequestsPerMinutePerIp } from "../endpoints.ts";
import { type Permit, SlidingWindowLimiter } from "./sliding-window.ts";

const second = 1000;

/** The number of different paths that refuse in a row after which the limit of a single path is ruled out. */
const refusalsOfAll = 3;
/** How long an IP address that exceeded its limit is banned (https://www.bitget.com/api-doc/, changelog of 2025-08-11). */
const ipBanMs = 5 * minuteMs;

/** Requests that may be sent now, per endpoint and account. */
export interface Budget {
  /** Null for requests counted per IP address. */
  account: string | null;
  /** Null for all endpoints together. */
  path: string | null;
  requests: number;
  /** The source address of a budget of all endpoints together; null: the system chooses it. */
  address?: string | null;
}

/** The number of keys one user can have (https://www.bitget.com/api-doc/uta/guide). */
const maxKeys = 10;

/** The owner of the budget of a request: a user, an account whose user is not known, or a source address of this machine. */
type Owner = string;

interface PathBudget {
  owner: Owner;
  path: string;
  window: SlidingWindowLimiter;
  /** The accounts that sent requests; null for public requests. */
  accounts: Set<string | null>;
  /** The source address of the account that sent the first request. */
  state: AddressState;
}

/** What the exchange counts per IP address, for one source address of this machine. */
interface AddressState {
  perIp: SlidingWindowLimiter;
  /** A monotonic instant. */
  pausedUntil: number;
  /** The paths that refused since the last good response, by owner. */
  refusing: Map<Owner, Set<string>>;
}

export interface LimiterOptions {
  /** The number of accounts. Up to the number of keys of a user, all are assumed to be of one user at first. Default: unlimited. */
  accounts?: number;
  /** The budget of one source address. */
  requestsPerMinute?: number;
  /** Default: one address, which the system chooses. */
  sourceAddresses?: readonly string[];
  /** Called when the exchange has banned every source address, with the time until the first ban ends, milliseconds. */
  onBanned?: (ms: number) => void;
}

/** Limits the requests of the whole program: accounts of a source address share the limits per IP address, keys of a user its limits. */
export class Limiter {
  readonly #clock: Clock;
  readonly #pathBudgets = new Map<string, PathBudget>();
  readonly #sourceAddresses: readonly string[];
  readonly #addresses: ReadonlyMap<string | null, AddressState>;
  readonly #users = new Map<string, string>();
  readonly #mayBeOneUser: boolean;
  readonly #onBanned: (ms: number) => void;
  /** Monotonic instants. */
  readonly #pausedUntil = new Map<string, number>();
  readonly #ownerPausedUntil = new Map<Owner, number>();

  constructor(clock: Clock, options: LimiterOptions = {}) {
    const { accounts = Number.POSITIVE_INFINITY, requestsPerMinute = maxRequestsPerMinutePerIp } = options;
    this.#clock = clock;
    this.#onBanned = options.onBanned ?? (() => {});
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
   * Counts the account's requests together with those of the other keys of this user (the exchange's id) from now on. Returns
   * the other accounts of that user, or none if the user was recorded before.
   */
  identify(account: string, user: string): string[] {
    if (this.#users.get(account) === user) return [];
    const others = [...this.#users].filter(([, other]) => other === user).map(([name]) => name);
    this.#users.set(account, user);
    return others;
  }

  /**
   * Resolves when a request of this account (null: a public one) may be sent and every pause is over. Call the returned function
   * when the response has arrived, or with false if none will. Rejects with the signal's reason.
   */
  async take(
    account: string | null,
    endpoint: ApiEndpoint,
    signal: AbortSignal,
  ): Promise<(responded?: boolean) => void> {
    const owner = this.#ownerOf(account, endpoint);
    const taken: Permit[] = [];
    try {
      taken.push(await this.#windowOf(owner, account, endpoint).take(signal));
      taken.push(await this.#addressOf(account).perIp.take(signal));
      await this.#pausesOver(account, endpoint, signal);
    } catch (reason) {
      for (const permit of taken) permit.cancel();
      throw reason;
    }
    return (responded = true) => {
      for (const permit of taken.splice(0)) permit[responded ? "release" : "releaseUncertain"]();
    };
  }

  /**
   * Records a refusal: no request of the same budget is sent to this endpoint for `ms`, queued ones included. A refusal does not
   * state which limit was exceeded: several in a row on different paths indicate the limit of the user, and with several users
   * or public endpoints among them, that of the IP address.
   */
  pause(account: string | null, endpoint: ApiEndpoint, ms: number): void {
    const owner = this.#ownerOf(account, endpoint);
    const { path } = endpoint;
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
      const ends = Math.min(...[...this.#addresses.values()].map(({ pausedUntil }) => pausedUntil));
      const bannedMs = ends - this.#clock.monotonic();
      if (bannedMs > 0) this.#onBanned(bannedMs);
    } else if (owner !== this.#ownerPerIp(account)) prolong(this.#ownerPausedUntil, owner, until);
  }

  /** Returns whether requests of this account to this endpoint are delayed because of a refusal. */
  isPaused(account: string | null, endpoint: ApiEndpoint): boolean {
    return this.#pauseOf(account, endpoint) > 0;
  }

  /** Resets the count of consecutive refusals after a success of this account. */
  accepted(account: string | null): void {
    this.#addressOf(account).refusing.clear();
  }

  /**
   * Returns the budgets of all endpoints requested so far, and that of each source address for all endpoints; zero during a pause.
   * Keys of one user share one budget. For endpoints counted per address, the smallest budget is returned.
   */
  budget(): Budget[] {
    const byName = new Map<string, Budget>();
    for (const { owner, path, window, accounts, state } of this.#pathBudgets.values()) {
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
    for (const { window } of this.#pathBudgets.values()) window.close();
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
    let budget = this.#pathBudgets.get(key);
    if (budget === undefined) {
      const length = perSecond < 1 ? second / perSecond : second;
      const window = new SlidingWindowLimiter(Math.max(1, perSecond), length, this.#clock);
      budget = { owner, path, window, accounts: new Set(), state: this.#addressOf(account) };
      this.#pathBudgets.set(key, budget);
    }
    budget.accounts.add(per === "uid" ? account : null);
    return budget.window;
  }

  /** Waits until no pause is left; a pause can be extended in the meantime. */
  async #pausesOver(account: string | null, endpoint: ApiEndpoint, signal: AbortSignal): Promise<void> {
    for (let wait = this.#pauseOf(account, endpoint); wait > 0; wait = this.#pauseOf(account, endpoint)) {
      await sleep(this.#clock, Math.ceil(wait), signal);
    }
  }

  #pauseOf(account: string | null, endpoint: ApiEndpoint): number {
    return this.#pausedMs(this.#ownerOf(account, endpoint), endpoint.path, this.#addressOf(account));
  }

  /** Returns the rest of a pause in milliseconds; zero or less if there is none. */
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
