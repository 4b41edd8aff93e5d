/** One account: its client, its API version, and whether its key may be used. */

import { detectMode } from "../bitget/account-mode.ts";
import type { Client, RequestOptions } from "../bitget/client.ts";
import { abortable, withLimit } from "../core/async/abort.ts";
import type { Pattern } from "../core/cron.ts";
import { type ApiVersion, publicAccount } from "../core/domain.ts";
import { ApiError, ConfigError } from "../core/errors.ts";
import type { AnyDataset } from "../datasets/incremental.ts";
import type { Store } from "../store/store.ts";
import { KeyCheck, type KeyCheckOptions } from "./key-check.ts";
import type { BulkReader } from "./sub-accounts/bulk-reader.ts";

export interface Session {
  name: string;
  client: Client;
  /**
   * Returns the API version to use. The first call probes the account and its key; from then on the key is checked again every hour,
   * in the background.
   * @throws RefusedError if the key can write and that was not allowed
   * @throws CollectorError if the probe failed without proving anything, as when the network is down
   */
  api(options: RequestOptions): Promise<ApiVersion>;
  /** Probes again after the exchange refused `version` as the wrong one. Returns true if the account has another version now. */
  recheck(version: ApiVersion, options: RequestOptions): Promise<boolean>;
  /** Returns why this account is not used; null if it is used, or if that is not known yet. */
  refusal(): string | null;
  /** Undefined for an account with a key of its own. */
  readonly subAccount?: SubAccountAccess;
}

/** How a sub-account is read with the key of its main account. */
export interface SubAccountAccess {
  /** The exchange's id of the user. */
  uid: string;
  schedule: Pattern;
  reader: BulkReader;
}

export interface SessionOptions extends KeyCheckOptions {
  /** Null: the version is not remembered. */
  store: Pick<Store, "apiVersion" | "setApiVersion"> | null;
}

const modeChanged = "the exchange reported a changed account mode";

export class AccountSession implements Session {
  readonly name: string;
  readonly client: Client;
  readonly #options: SessionOptions;
  readonly #key: KeyCheck;
  /** Null: not known yet. */
  #version: ApiVersion | null;
  #probing: Promise<void> | null = null;
  #detecting: Promise<ApiVersion> | null = null;

  constructor(options: SessionOptions) {
    const { account, client } = options;
    this.name = account.name;
    this.client = client;
    this.#options = options;
    this.#key = new KeyCheck(options);
    this.#version = account.api === "auto" ? null : account.api;
  }

  refusal(): string | null {
    return this.#key.refused?.message ?? null;
  }

  async api(options: RequestOptions): Promise<ApiVersion> {
    if (this.#version === null) {
      const remembered = (await this.#options.store?.apiVersion(this.name)) ?? null;
      this.#version ??= remembered;
    }
    if (!this.#key.isChecked || this.#version === null) {
      this.#probing ??= this.#withOwnLimit(options, (own) => this.#probe(own)).finally(() => {
        this.#probing = null;
      });
      await abortable(this.#probing, options.signal);
    }
    if (this.#version !== null) this.#key.recheckWhenDue(this.#version);
    if (this.#key.refused) throw this.#key.refused;
    return this.#version ?? (await this.#detect(options, "first seen"));
  }

  async recheck(version: ApiVersion, options: RequestOptions): Promise<boolean> {
    if (this.#options.account.api !== "auto") return false;
    // Several runs are refused at the same time; only the first of them sends the request.
    if (this.#version === version) {
      this.#detecting ??= this.#withOwnLimit(options, (own) => this.#detect(own, modeChanged)).finally(() => {
        this.#detecting = null;
      });
      this.#version = await abortable(this.#detecting, options.signal);
    }
    return this.#version !== version;
  }

  /** Determines what is not known yet: the version, and the permissions of the key. */
  async #probe(options: RequestOptions): Promise<void> {
    this.#version ??= await this.#detect(options, "first seen");
    if (this.#key.isChecked) return;
    try {
      await this.#key.check(this.#version, options);
    } catch (error) {
      if (this.#options.account.api !== "auto" || !(error instanceof ApiError) || error.kind !== "mode") throw error;
      // The remembered version was outdated.
      this.#version = await this.#detect(options, modeChanged);
      await this.#key.check(this.#version, options);
    }
  }

  /** Detects the version, and stores it with the cause of the change. */
  async #detect(options: RequestOptions, cause: string): Promise<ApiVersion> {
    const { account, client, store, clock, log } = this.#options;
    const found = account.api === "auto" ? await detectMode(client, options) : account.api;
    if (found !== (await store?.apiVersion(account.name))) {
      await client.requireClock(options.signal);
      await store?.setApiVersion(account.name, found, clock.now(), cause);
      log.info({ account: account.name, api: found }, `account ${account.name} uses API ${found} (${cause})`);
    }
    return found;
  }

  /** Runs work that several runs wait for under a time limit of its own: it must not end with the run that started it. */
  #withOwnLimit<T>(options: RequestOptions, work: (options: RequestOptions) => Promise<T>): Promise<T> {
    return withLimit((signal) => work({ ...options, signal }), this.#options.stopping);
  }
}

/** @throws ConfigError with the reasons if every account was refused */
export function requireAccount(sessions: readonly Session[]): void {
  const refusals = sessions.flatMap((session) => session.refusal() ?? []);
  if (refusals.length === sessions.length) throw new ConfigError(refusals);
}

/**
 * Returns the sessions that collect a dataset: the public one for public data, else one for each account; those of sub-accounts only
 * for a dataset that the key of their main account can read.
 */
export const sessionsOf = (
  dataset: AnyDataset,
  sessions: readonly Session[],
  publicSession: Session,
): readonly Session[] =>
  dataset.public ? [publicSession] : sessions.filter(({ subAccount }) => !subAccount || hasSubAccounts(dataset));

/** Returns whether the key of a main account can read the dataset for its sub-accounts. */
export const hasSubAccounts = (dataset: AnyDataset): boolean =>
  dataset.mode === "snapshot" && Object.values(dataset.sources).some(({ subAccounts }) => subAccounts !== undefined);

/** Creates the session for public data, which needs no key. */
export function createPublicSession(client: Client, api: ApiVersion): Session {
  return { name: publicAccount, client, api: async () => api, recheck: async () => false, refusal: () => null };
}
