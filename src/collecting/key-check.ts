/** Checks the permissions of an account's key: a key that can write is not used. */

import type { Client, RequestOptions } from "../bitget/client.ts";
import { readKey } from "../bitget/permissions.ts";
import { withLimit } from "../core/async/abort.ts";
import type { Clock } from "../core/clock.ts";
import type { Account, ApiVersion } from "../core/domain.ts";
import { ApiError, CollectorError, type FailureKind, ShapeError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { hourMs, minuteMs } from "../core/time.ts";

/** The error code of snapshots that failed because the key can write. */
export const writeKey = "write-key";

/** The key is not read-only, so the account is not collected; other accounts are. */
export class RefusedError extends CollectorError {
  override name = "RefusedError";
  readonly kind = "permission";

  constructor(account: string, permissions: readonly string[]) {
    super(
      `the key of account "${account}" is not read-only: it can write (${permissions.join(", ")}). ` +
        "Make a read-only key, or set BITGET_ALLOW_WRITE_KEYS=true to use this key anyway",
    );
  }

  override get code(): string {
    return writeKey;
  }
}

export interface KeyCheckOptions {
  account: Account;
  client: Client;
  allowWriteKeys: boolean;
  /** True if there is no other account that could share its request budget. */
  isOnlyOne: boolean;
  clock: Clock;
  log: Log;
  /** Aborted when the program must stop at once. */
  stopping?: AbortSignal | undefined;
}

/** Kinds of failure that leave the permissions of a key unknown. */
const inconclusive: ReadonlySet<FailureKind> = new Set(["permission", "api"]);

/** The time until the next check of a key, by the result of the last one. Milliseconds. */
const recheckAfterMs = { success: hourMs, failure: 5 * minuteMs };

export class KeyCheck {
  readonly #options: KeyCheckOptions;
  #isChecked: boolean;
  #refused: RefusedError | null = null;
  /** By the monotonic clock. */
  #recheckAt = Number.POSITIVE_INFINITY;
  #isWarned = false;

  constructor(options: KeyCheckOptions) {
    this.#options = options;
    // The permissions matter unless write keys are allowed, the owner only if other accounts may belong to the same user.
    this.#isChecked = options.allowWriteKeys && options.isOnlyOne;
  }

  /** True after the first check, or if none is needed. */
  get isChecked(): boolean {
    return this.#isChecked;
  }

  /** The refusal of the key; null if it may be used, as far as is known. */
  get refused(): RefusedError | null {
    return this.#refused;
  }

  /** Requests the permissions of the key. @throws ApiError, NetworkError if the request failed without proving anything */
  async check(version: ApiVersion, options: RequestOptions): Promise<void> {
    const { account, client, allowWriteKeys, clock, log } = this.#options;
    try {
      const info = await readKey(client, version, options);
      if (info.user !== null) this.#logSharedBudget(client.identifyUser(info.user));
      if (!allowWriteKeys) this.#apply(info.writes());
    } catch (error) {
      const isInconclusive = error instanceof ShapeError || (error instanceof ApiError && inconclusive.has(error.kind));
      if (!isInconclusive) throw error;
      if (!this.#isWarned && !allowWriteKeys)
        log.warn(
          { account: account.name, code: error.code },
          `the exchange does not report the permissions of the key of account ${account.name}; make sure it is read-only`,
        );
      this.#isWarned = true;
    }
    this.#isChecked = true;
    this.#recheckAt = clock.monotonic() + recheckAfterMs.success;
  }

  /** Checks again in the background if it is time: a hanging check must not end a run. A failed check changes nothing. */
  recheckWhenDue(version: ApiVersion): void {
    const { account, clock, log, stopping } = this.#options;
    if (clock.monotonic() < this.#recheckAt) return;
    this.#recheckAt = clock.monotonic() + recheckAfterMs.failure;
    withLimit((signal) => this.check(version, { signal }), stopping).catch((error: unknown) => {
      const problem = error instanceof Error ? error.message : String(error);
      log.debug({ account: account.name, problem }, `the key of account ${account.name} could not be checked again`);
    });
  }

  #apply(permissions: readonly string[]): void {
    const { account, log } = this.#options;
    const wasRefused = this.#refused !== null;
    this.#refused = permissions.length > 0 ? new RefusedError(account.name, permissions) : null;
    if (!this.#isChecked || wasRefused === (this.#refused !== null)) return;
    if (this.#refused)
      log.error({ account: account.name }, `account ${account.name} is no longer collected: ${this.#refused.message}`);
    else log.info({ account: account.name }, `account ${account.name} is collected again: its key is read-only now`);
  }

  #logSharedBudget(others: readonly string[]): void {
    if (others.length === 0) return;
    const names = [...others, this.#options.account.name];
    this.#options.log.info(
      { accounts: names },
      `accounts ${names.join(", ")}: their keys belong to one user, so they share one request budget`,
    );
  }
}
