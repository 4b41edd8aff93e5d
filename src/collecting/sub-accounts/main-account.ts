/**
 * Follows the sub-accounts of a main account that are collected with its key, each as an account of its own named `main/123456`. The
 * list of the exchange is read at the start and at each slot, in the background: a new sub-account is collected from the next slot on,
 * and one that is missing in two lists in a row, and in the responses in between, is no longer collected.
 */

import type { RequestOptions } from "../../bitget/client.ts";
import { listSubAccounts, type SubAccount } from "../../bitget/sub-accounts.ts";
import { withLimit } from "../../core/async/abort.ts";
import type { Clock } from "../../core/clock.ts";
import type { Pattern } from "../../core/cron.ts";
import type { ApiVersion } from "../../core/domain.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../store/store.ts";
import type { Session, SubAccountAccess } from "../account-session.ts";
import { BulkReader } from "./bulk-reader.ts";

export interface MainAccountOptions {
  /** The account whose key reads the sub-accounts. */
  session: Session;
  schedule: Pattern;
  store: Pick<Store, "apiVersion" | "setApiVersion">;
  clock: Clock;
  log: Log;
  /** Aborted when the program must stop at once. */
  stopping: AbortSignal;
}

/** Sub-accounts that appeared or disappeared. */
export interface SubAccountChanges {
  added: readonly Session[];
  /** The names of accounts. */
  removed: readonly string[];
}

export class MainAccount {
  readonly name: string;
  readonly schedule: Pattern;
  readonly #options: MainAccountOptions;
  readonly #reader: BulkReader;
  readonly #sessions = new Map<string, Session>();
  /** The last slot at which the list or a response contained a sub-account. Epoch ms. */
  readonly #seenAt = new Map<string, number>();
  /** Listed, but its mode is one that the key of the main account cannot read. */
  #unreadable: ReadonlySet<string> = new Set();
  /** The slot of the last list; null before the first. Epoch ms. */
  #listedAt: number | null = null;
  /** The last slots at which responses were read to the end, and at which one was not. Epoch ms. */
  #readAt = { complete: Number.NEGATIVE_INFINITY, failed: Number.NEGATIVE_INFINITY };
  #slot = Number.NaN;
  #added: Session[] = [];
  #removed: string[] = [];
  #problem = "";
  #reading: Promise<void> | null = null;

  constructor(options: MainAccountOptions) {
    const { session, schedule } = options;
    this.name = session.name;
    this.schedule = schedule;
    this.#options = options;
    this.#reader = new BulkReader(session.client, ({ parts, error }, slot) => {
      this.#readAt[error === null ? "complete" : "failed"] = slot;
      this.#found(parts.keys(), slot);
    });
  }

  /** Returns whether a name is that of one of its sub-accounts. */
  owns(account: string): boolean {
    return account.startsWith(`${this.name}/`);
  }

  /** The sub-accounts that are collected. */
  get sessions(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** Resolves when no list is being read. */
  get idle(): Promise<void> | null {
    return this.#reading;
  }

  /** Returns the session of a sub-account that was collected when the program last ended. */
  restore(account: string): Session {
    const uid = account.slice(this.name.length + 1);
    this.#seenAt.set(uid, this.#options.clock.now());
    return this.#sessionOf(uid);
  }

  /** Takes back what `restore` did, for a sub-account that another process no longer collects. */
  forget(account: string): void {
    const uid = account.slice(this.name.length + 1);
    this.#seenAt.delete(uid);
    this.#sessions.delete(uid);
  }

  /** Reads the list in the background if a slot has begun. */
  tick(): void {
    const { clock, log, stopping } = this.#options;
    const slot = this.schedule.latest(clock.now());
    if (slot === this.#slot || this.#reading) return;
    this.#slot = slot;
    this.#reading = withLimit((signal) => this.discover(slot, { signal }), stopping)
      .then(
        () => "",
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      .then((problem) => {
        if (problem !== "" && problem !== this.#problem)
          log.error({ account: this.name }, `the sub-accounts of ${this.name} cannot be listed: ${problem}`);
        this.#problem = problem;
        this.#reading = null;
      });
  }

  /** Reads the list now, as that of a slot (epoch ms). @throws as `listSubAccounts` */
  async discover(slot: number, options: RequestOptions): Promise<void> {
    const { session } = this.#options;
    const version = await session.api(options);
    const listed = await listSubAccounts(session.client, version, options);
    const isReadable = ({ mode, state }: SubAccount) => state !== "del" && !(version === "v3" && mode === "classic");
    this.#unreadable = new Set(listed.filter((one) => !isReadable(one)).map(({ uid }) => uid));
    const previous = this.#listedAt;
    this.#listedAt = slot;
    this.#found(
      listed.map(({ uid }) => uid),
      slot,
    );
    const { complete, failed } = this.#readAt;
    // A sub-account that is in no list is missed only where its responses were read to the end.
    if (previous === null || complete < previous || failed >= previous) return;
    for (const [uid, seenAt] of this.#seenAt) if (seenAt < previous) this.#remove(uid);
  }

  /** Returns what has changed since the last call. */
  takeChanges(): SubAccountChanges {
    return { added: this.#added.splice(0), removed: this.#removed.splice(0) };
  }

  /** A response may contain sub-accounts that the list does not: the one of v2 has only the virtual ones. */
  #found(uids: Iterable<string>, slot: number): void {
    if (this.#listedAt === null) return;
    for (const uid of uids) {
      if (this.#unreadable.has(uid)) continue;
      this.#seenAt.set(uid, Math.max(slot, this.#seenAt.get(uid) ?? slot));
      if (!this.#sessions.has(uid)) this.#added.push(this.#sessionOf(uid));
    }
  }

  #remove(uid: string): void {
    const session = this.#sessions.get(uid);
    this.#seenAt.delete(uid);
    this.#sessions.delete(uid);
    if (session) this.#removed.push(session.name);
  }

  #sessionOf(uid: string): Session {
    const { schedule } = this;
    const known = this.#sessions.get(uid);
    const created = known ?? new SubAccountSession(this.#options, { uid, schedule, reader: this.#reader });
    this.#sessions.set(uid, created);
    return created;
  }
}

class SubAccountSession implements Session {
  readonly name: string;
  readonly subAccount: SubAccountAccess;
  readonly #main: MainAccountOptions;
  #version: ApiVersion | null = null;

  constructor(main: MainAccountOptions, access: SubAccountAccess) {
    this.name = `${main.session.name}/${access.uid}`;
    this.subAccount = access;
    this.#main = main;
  }

  get client(): Session["client"] {
    return this.#main.session.client;
  }

  /** Returns the version of the main account, and stores it if it is new. */
  async api(options: RequestOptions): Promise<ApiVersion> {
    const { session, store, clock } = this.#main;
    const version = await session.api(options);
    if (version !== this.#version && version !== (await store.apiVersion(this.name))) {
      await session.client.requireClock(options.signal);
      await store.setApiVersion(this.name, version, clock.now(), "that of the main account");
    }
    this.#version = version;
    return version;
  }

  recheck(version: ApiVersion, options: RequestOptions): Promise<boolean> {
    return this.#main.session.recheck(version, options);
  }

  refusal(): string | null {
    return this.#main.session.refusal();
  }
}
