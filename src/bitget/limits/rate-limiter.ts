/** The exchange's patience: so many requests a second per address and user, so many a minute from this machine. */
import { type Clock, sleep } from "../../core/clock.ts";
import type { Address } from "../../core/domain.ts";
import { perMinutePerAddress } from "../endpoints.ts";
import { type Permit, Permits } from "./sliding-window.ts";

const second = 1000;
const minute = 60_000;

/** Refusals in a row, each from another path, after which it is not the limit of a path that refuses. */
const refusalsOfAll = 3;
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

/** The most keys one user can have (https://www.bitget.com/api-doc/uta/guide). */
const mostKeys = 10;

/** Whose budget a request counts against: a user, an account whose user is not known, or (null) this machine. */
type Owner = string | null;

interface PathBudget {
  owner: Owner;
  path: string;
  permits: Permits;
  /** The accounts that have asked; null: nobody in particular. */
  accounts: Set<string | null>;
}

/** One for the whole program: what counts per internet address is shared by all accounts, what counts per user by all of its keys. */
export class Limiter {
  readonly #clock: Clock;
  readonly #addresses = new Map<string, PathBudget>();
  readonly #machine: Permits;
  readonly #users = new Map<string, string>();
  readonly #mayBeOneUser: boolean;
  /** Monotonic instants. */
  readonly #pausedUntil = new Map<string, number>();
  readonly #ownerPausedUntil = new Map<Owner, number>();
  #allPausedUntil = Number.NEGATIVE_INFINITY;
  /** The paths that refused since the last good answer to anybody, by owner. */
  readonly #refusing = new Map<Owner, Set<string>>();

  /** `accounts`: how many there are. With no more than one user can have keys, all may be those of one until that is known. */
  constructor(clock: Clock, accounts = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#mayBeOneUser = accounts <= mostKeys;
    this.#machine = new Permits(perMinutePerAddress, minute, clock);
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
   * Resolves when a request of this account (null: of nobody) may leave, every pause over. The function it resolves
   * with must be called when the answer is there, or with false when it will not come. Rejects with the signal's reason.
   */
  async take(account: string | null, address: Address, signal: AbortSignal): Promise<(answered?: boolean) => void> {
    const owner = this.#ownerOf(account, address);
    const taken: Permit[] = [];
    try {
      taken.push(await this.#permitsOf(owner, account, address).take(signal));
      taken.push(await this.#machine.take(signal));
      await this.#pausesOver(owner, address.path, signal);
    } catch (reason) {
      for (const permit of taken) permit.unused();
      throw reason;
    }
    return (answered = true) => {
      for (const permit of taken.splice(0)) permit[answered ? "used" : "lost"]();
    };
  }

  /**
   * The exchange refused: no request that counts against the same budget leaves for this address for `ms`, queued ones included.
   * Refusals look alike whoever's limit was passed: several in a row on different paths mean the user, and with another
   * user or a public address among them, this machine.
   */
  pause(account: string | null, address: Address, ms: number): void {
    const owner = this.#ownerOf(account, address);
    const { path } = address;
    prolong(this.#pausedUntil, keyOf(owner, path), this.#clock.monotonic() + ms);
    this.#refusing.set(owner, (this.#refusing.get(owner) ?? new Set()).add(path));
    const paths = new Set([...this.#refusing.values()].flatMap((some) => [...some]));
    if (paths.size < refusalsOfAll) return;
    if (this.#refusing.size > 1) this.#pauseAll(machinePenalty);
    else if (owner !== null) prolong(this.#ownerPausedUntil, owner, this.#clock.monotonic() + machinePenalty);
  }

  /** True while requests of this account to this address are held back because of a refusal. */
  isPaused(account: string | null, address: Address): boolean {
    return this.#pauseOf(this.#ownerOf(account, address), address.path) > 0;
  }

  /** The exchange answered: refusals before this one are no row. */
  accepted(): void {
    this.#refusing.clear();
  }

  /** Of everything that was asked so far; nothing while a refusal is waited for. Keys of one user have the same budget. */
  budget(): Budget[] {
    const all = [...this.#addresses.values()].flatMap(({ owner, path, permits, accounts }) => {
      const requests = this.#pauseOf(owner, path) > 0 ? 0 : permits.free;
      return [...accounts].map((account) => ({ account, path, requests }));
    });
    const machine = this.#allPausedUntil > this.#clock.monotonic() ? 0 : this.#machine.free;
    return [...all, { account: null, path: null, requests: machine }];
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

  #ownerOf(account: string | null, { per, name }: Address): Owner {
    if (per === "ip" || account === null) return null;
    const user = this.#users.get(account);
    if (user !== undefined) return `user ${user}`;
    // The answer that tells the user is limited per user as well.
    return this.#mayBeOneUser && name.endsWith("/key") ? "user not known yet" : `account ${account}`;
  }

  #permitsOf(owner: Owner, account: string | null, { path, per, perSecond }: Address): Permits {
    const key = keyOf(owner, path);
    let known = this.#addresses.get(key);
    if (known === undefined) {
      const permits = new Permits(perSecond, second, this.#clock);
      known = { owner, path, permits, accounts: new Set() };
      this.#addresses.set(key, known);
    }
    known.accounts.add(per === "uid" ? account : null);
    return known.permits;
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
