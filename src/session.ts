/** One account as the program sees it: its client, the API generation it speaks, and whether its key may be used. */
import { limitTo, unlessAborted } from "./abort.ts";
import { detectMode } from "./bitget/account-mode.ts";
import type { AskOptions, Client } from "./bitget/client.ts";
import { writePermissions } from "./bitget/permissions.ts";
import { type Account, type ApiVersion, publicAccount } from "./domain.ts";
import { ApiError, CollectorError, ConfigError, type FailureKind, ShapeError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store/store.ts";

export interface Session {
  name: string;
  client: Client;
  /**
   * The generation to ask. The first call probes the account and its key; an answer that proves nothing is thrown on,
   * so that nothing is guessed from a network that is down.
   * @throws RefusedError where the key can write and that was not allowed.
   */
  api(options: AskOptions): Promise<ApiVersion>;
  /** Probes again after the exchange refused `spoken` as the wrong generation. True where it really is another one. */
  recheck(spoken: ApiVersion, options: AskOptions): Promise<boolean>;
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

const modeChanged = "the exchange said the mode changed";

export interface SessionOptions {
  account: Account;
  client: Client;
  store: Pick<Store, "apiVersion" | "setApiVersion"> | null;
  allowWriteKeys: boolean;
  now: () => number;
  log: Log;
  /** Aborted when the program must stop at once. */
  stopping?: AbortSignal | undefined;
}

export function createSession(settings: SessionOptions): Session {
  const { account, client, store, allowWriteKeys, now, log, stopping } = settings;
  let api: ApiVersion | null = account.api === "auto" ? (store?.apiVersion(account.name) ?? null) : account.api;
  let keyChecked = allowWriteKeys;
  let refused: RefusedError | null = null;
  let probing: Promise<void> | null = null;
  let detecting: Promise<ApiVersion> | null = null;

  async function detect(options: AskOptions, cause: string): Promise<ApiVersion> {
    const found = account.api === "auto" ? await detectMode(client, options) : account.api;
    if (found !== store?.apiVersion(account.name)) {
      await client.requireClock(options.signal);
      await store?.setApiVersion(account.name, found, now(), cause);
      log.info({ account: account.name, api: found }, `account ${account.name} speaks ${found} (${cause})`);
    }
    return found;
  }

  async function checkKey(version: ApiVersion, options: AskOptions): Promise<void> {
    try {
      const permissions = await writePermissions(client, version, options);
      if (permissions.length > 0) refused = new RefusedError(account.name, permissions);
    } catch (error) {
      const isSilent = error instanceof ShapeError || (error instanceof ApiError && silent.has(error.kind));
      if (!isSilent) throw error;
      log.warn(
        { account: account.name, code: error.code },
        `the exchange does not say what the key of ${account.name} may do; make sure it is read-only`,
      );
    }
    keyChecked = true;
  }

  /** Finds out what is not known yet: the generation, and what the key may do. */
  async function probe(options: AskOptions): Promise<void> {
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
  async function inOwnTime<T>(options: AskOptions, work: (options: AskOptions) => Promise<T>): Promise<T> {
    const { signal, clear } = limitTo(ownTime, stopping);
    return work({ ...options, signal }).finally(clear);
  }

  return {
    name: account.name,
    client,
    refusal: () => refused?.message ?? null,
    async api(options) {
      if (!keyChecked || api === null) {
        probing ??= inOwnTime(options, probe).finally(() => {
          probing = null;
        });
        await unlessAborted(probing, options.signal);
      }
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

/** Public data is asked without a key, in a generation that is known beforehand. */
export function createPublicSession(client: Client, api: ApiVersion): Session {
  return { name: publicAccount, client, api: async () => api, recheck: async () => false, refusal: () => null };
}
