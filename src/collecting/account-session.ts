/** One account as the program sees it: its client, the API generation it speaks, and whether its key may be used. */

import { detectMode } from "../bitget/account-mode.ts";
import type { Client, RequestOptions } from "../bitget/client.ts";
import { readKey } from "../bitget/permissions.ts";
import { limitTo, unlessAborted } from "../core/abort.ts";
import type { Clock } from "../core/clock.ts";
import { type Account, type ApiVersion, publicAccount } from "../core/domain.ts";
import { ApiError, CollectorError, ConfigError, type FailureKind, ShapeError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { AnyDataset } from "../datasets/incremental.ts";
import type { Store } from "../store/store.ts";

export interface Session {
  name: string;
  client: Client;
  /**
   * The generation to ask. The first call probes the account and its key; an answer that proves nothing is thrown on,
   * so that nothing is guessed from a network that is down. From then on the key is looked at again every hour, while the
   * call that finds it is time goes on.
   * @throws RefusedError where the key can write and that was not allowed.
   */
  api(options: RequestOptions): Promise<ApiVersion>;
  /** Probes again after the exchange refused `spoken` as the wrong generation. True where it really is another one. */
  recheck(spoken: ApiVersion, options: RequestOptions): Promise<boolean>;
  /** Why this account is not used, once that is known. */
  refusal(): string | null;
}

/** The code of snapshots that were not taken because the key can write. */
export const writeKey = "write-key";

/** The key can do more than read. The account is left alone; the others go on. */
class RefusedError extends CollectorError {
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

/** Failures after which it is simply not known what a key may do. */
const silent: ReadonlySet<FailureKind> = new Set(["permission", "api"]);

/** What a key may do is looked at again after so long, or where the exchange did not tell, somewhat earlier. Milliseconds. */
const recheckAfter = { usual: 3_600_000, failure: 300_000 };

const modeChanged = "the exchange said the mode changed";

export interface SessionOptions {
  account: Account;
  client: Client;
  store: Pick<Store, "apiVersion" | "setApiVersion"> | null;
  allowWriteKeys: boolean;
  /** No other account could share its budget of requests. */
  isOnlyOne: boolean;
  clock: Clock;
  log: Log;
  /** Aborted when the program must stop at once. */
  stopping?: AbortSignal | undefined;
}

export function createSession(options: SessionOptions): Session {
  const { account, client, store, allowWriteKeys, isOnlyOne, clock, log, stopping } = options;
  let api: ApiVersion | null = account.api === "auto" ? null : account.api;
  /** What a key may do is of interest where it must not write, and whose it is where others may be the same user's. */
  const isKeyOfInterest = !(allowWriteKeys && isOnlyOne);
  let keyChecked = !isKeyOfInterest;
  /** By the monotonic clock. */
  let recheckAt = Number.POSITIVE_INFINITY;
  let isSilenceSaid = false;
  let refused: RefusedError | null = null;
  let probing: Promise<void> | null = null;
  let detecting: Promise<ApiVersion> | null = null;

  async function detect(options: RequestOptions, cause: string): Promise<ApiVersion> {
    const found = account.api === "auto" ? await detectMode(client, options) : account.api;
    if (found !== (await store?.apiVersion(account.name))) {
      await client.requireClock(options.signal);
      await store?.setApiVersion(account.name, found, clock.now(), cause);
      log.info({ account: account.name, api: found }, `account ${account.name} speaks ${found} (${cause})`);
    }
    return found;
  }

  async function checkKey(version: ApiVersion, options: RequestOptions): Promise<void> {
    try {
      const info = await readKey(client, version, options);
      if (info.user !== null) shareBudget(client.belongsTo(info.user));
      if (!allowWriteKeys) judge(info.writes());
    } catch (error) {
      const isSilent = error instanceof ShapeError || (error instanceof ApiError && silent.has(error.kind));
      if (!isSilent) throw error;
      if (!isSilenceSaid && !allowWriteKeys)
        log.warn(
          { account: account.name, code: error.code },
          `the exchange does not say what the key of ${account.name} may do; make sure it is read-only`,
        );
      isSilenceSaid = true;
    }
    keyChecked = true;
    recheckAt = clock.monotonic() + recheckAfter.usual;
  }

  function judge(permissions: readonly string[]): void {
    const before = refused;
    refused = permissions.length > 0 ? new RefusedError(account.name, permissions) : null;
    if (!keyChecked || (before === null) === (refused === null)) return;
    if (refused)
      log.error({ account: account.name }, `account ${account.name} is not used any more: ${refused.message}`);
    else log.info({ account: account.name }, `account ${account.name} is used again: its key is read-only now`);
  }

  function shareBudget(others: readonly string[]): void {
    if (others.length === 0) return;
    const names = [...others, account.name];
    log.info(
      { accounts: names },
      `${names.join(", ")}: keys of one user, whose requests the exchange counts together; they share one budget`,
    );
  }

  /** In the background: the run that comes by must not end with a check that hangs. A failure proves nothing. */
  function recheckKey(version: ApiVersion, options: RequestOptions): void {
    recheckAt = clock.monotonic() + recheckAfter.failure;
    inOwnTime({ signal: options.signal }, (own) => checkKey(version, own)).catch((error: unknown) => {
      const problem = error instanceof Error ? error.message : String(error);
      log.debug({ account: account.name, problem }, `the key of ${account.name} could not be looked at again`);
    });
  }

  /** Finds out what is not known yet: the generation, and what the key may do. */
  async function probe(options: RequestOptions): Promise<void> {
    api ??= await detect(options, "first seen");
    if (keyChecked) return;
    try {
      await checkKey(api, options);
    } catch (error) {
      if (account.api !== "auto" || !(error instanceof ApiError) || error.kind !== "mode") throw error;
      // The remembered generation was an old one.
      api = await detect(options, modeChanged);
      await checkKey(api, options);
    }
  }

  /** What several runs wait for does not end with the time of the one that came first, but with the program. */
  async function inOwnTime<T>(options: RequestOptions, work: (options: RequestOptions) => Promise<T>): Promise<T> {
    const { signal, clear } = limitTo(ownTime, stopping);
    return work({ ...options, signal }).finally(clear);
  }

  return {
    name: account.name,
    client,
    refusal: () => refused?.message ?? null,
    async api(options) {
      if (api === null) {
        const remembered = (await store?.apiVersion(account.name)) ?? null;
        api ??= remembered;
      }
      if (!keyChecked || api === null) {
        probing ??= inOwnTime(options, probe).finally(() => {
          probing = null;
        });
        await unlessAborted(probing, options.signal);
      }
      if (api !== null && clock.monotonic() >= recheckAt) recheckKey(api, options);
      if (refused) throw refused;
      return api ?? (await detect(options, "first seen"));
    },
    async recheck(spoken, options) {
      if (account.api !== "auto") return false;
      // Several runs hear of it at the same time; one of them asks.
      if (api === spoken) {
        detecting ??= inOwnTime(options, (own) => detect(own, modeChanged)).finally(() => {
          detecting = null;
        });
        api = await unlessAborted(detecting, options.signal);
      }
      return api !== spoken;
    },
  };
}

/** For finding out about an account. Milliseconds. */
const ownTime = 30_000;

/** @throws ConfigError with the reasons, where every account was refused: there is nothing left to do. */
export function requireAccount(sessions: readonly Session[]): void {
  const refusals = sessions.flatMap((session) => session.refusal() ?? []);
  if (refusals.length === sessions.length) throw new ConfigError(refusals);
}

/** Public data is requested once, everything else for each account. */
export const sessionsOf = (
  dataset: Pick<AnyDataset, "public">,
  sessions: readonly Session[],
  publicSession: Session,
): readonly Session[] => (dataset.public ? [publicSession] : sessions);

/** Public data is asked without a key, in a generation that is known beforehand. */
export function createPublicSession(client: Client, api: ApiVersion): Session {
  return { name: publicAccount, client, api: async () => api, recheck: async () => false, refusal: () => null };
}
