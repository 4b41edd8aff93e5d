/** What the key of an account may do: one that can write is not used. */

import type { Client, RequestOptions } from "../bitget/client.ts";
import { readKey } from "../bitget/permissions.ts";
import { withLimit } from "../core/async/abort.ts";
import type { Clock } from "../core/clock.ts";
import type { Account, ApiVersion } from "../core/domain.ts";
import { ApiError, CollectorError, type FailureKind, ShapeError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { hourMs, minuteMs } from "../core/time.ts";

/** The code of snapshots that were not taken because the key can write. */
export const writeKey = "write-key";

/** The key can do more than read. The account is left alone; the others go on. */
export class RefusedError extends CollectorError {
  override name = "RefusedError";
  readonly kind = "permission";

  constructor(account: string, permissions: readonly string[]) {
    super(
      `the key of account "${account}" may write (${permissions.join(", ")}); this program only reads. ` +
        "Make a read-only key, or set BITGET_ALLOW_WRITE_KEYS=true to use this one all the same",
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
  /** No other account could share its budget of requests. */
  isOnlyOne: boolean;
  clock: Clock;
  log: Log;
  /** Aborted when the program must stop at once. */
  stopping?: AbortSignal | undefined;
}

/** Failures after which it is simply not known what a key may do. */
const inconclusive: ReadonlySet<FailureKind> = new Set(["permission", "api"]);

/** The time until a key is checked again, and that after a check that failed. Milliseconds. */
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
    // What a key may do matters where it must not write, and whose it is where others may be the same user's.
    this.#isChecked = options.allowWriteKeys && options.isOnlyOne;
  }

  /** True once there was a check, or where none is needed. */
  get isChecked(): boolean {
    return this.#isChecked;
  }

  /** Null: the key may be used, as far as is known. */
  get refused(): RefusedError | null {
    return this.#refused;
  }

  /** Asks the exchange what the key may do. @throws ApiError, NetworkError where the answer proves nothing */
  async check(version: ApiVersion, options: RequestOptions): Promise<void> {
    const { account, client, allowWriteKeys, clock, log } = this.#options;
    try {
      const info = await readKey(client, version, options);
      if (info.user !== null) this.#logSharedBudget(client.belongsTo(info.user));
      if (!allowWriteKeys) this.#judge(info.writes());
    } catch (error) {
      const isInconclusive = error instanceof ShapeError || (error instanceof ApiError && inconclusive.has(error.kind));
      if (!isInconclusive) throw error;
      if (!this.#isWarned && !allowWriteKeys)
        log.warn(
          { account: account.name, code: error.code },
          `the exchange does not say what the key of ${account.name} may do; make sure it is read-only`,
        );
      this.#isWarned = true;
    }
    this.#isChecked = true;
    this.#recheckAt = clock.monotonic() + recheckAfterMs.success;
  }

  /** Checks again where it is time, in the background: a run must not end with a check that hangs. A failure proves nothing. */
  recheckWhenDue(version: ApiVersion): void {
    const { account, clock, log, stopping } = this.#options;
    if (clock.monotonic() < this.#recheckAt) return;
    this.#recheckAt = clock.monotonic() + recheckAfterMs.failure;
    withLimit((signal) => this.check(version, { signal }), stopping).catch((error: unknown) => {
      const problem = error instanceof Error ? error.message : String(error);
      log.debug({ account: account.name, problem }, `the key of ${account.name} could not be looked at again`);
    });
  }

  #judge(permissions: readonly string[]): void {
    const { account, log } = this.#options;
    const wasRefused = this.#refused !== null;
    this.#refused = permissions.length > 0 ? new RefusedError(account.name, permissions) : null;
    if (!this.#isChecked || wasRefused === (this.#refused !== null)) return;
    if (this.#refused)
      log.error({ account: account.name }, `account ${account.name} is not used any more: ${this.#refused.message}`);
    else log.info({ account: account.name }, `account ${account.name} is used again: its key is read-only now`);
  }

  #logSharedBudget(others: readonly string[]): void {
    if (others.length === 0) return;
    const names = [...others, this.#options.account.name];
    this.#options.log.info(
      { accounts: names },
      `${names.join(", ")}: keys of one user, whose requests the exchange counts together; they share one budget`,
    );
  }
}
