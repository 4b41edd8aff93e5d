/** A signed, paced, patient reader of one account. It knows no datasets and no tables; it only ever sends GET. */
import { setMaxListeners } from "node:events";
import { type Clock, sleep } from "../core/clock.ts";
import { type Account, type Address, type Answer, newTally, type Params, Secret, type Tally } from "../core/domain.ts";
import { ApiError, CollectorError, NetworkError, ShapeError, UsageError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { redactor } from "../core/text.ts";
import { noProxy, type ProxySettings } from "../network/proxy.ts";
import { ClockCheck, largestOffset } from "./clock-check.ts";
import { addresses } from "./endpoints.ts";
import type { Limiter } from "./limits/rate-limiter.ts";
import { type Envelope, readAnswer } from "./wire/envelope.ts";
import { createHttp, type Reply } from "./wire/http.ts";
import { asObject } from "./wire/json.ts";
import { attemptsFor, waitAfter } from "./wire/retry.ts";
import { signer, target } from "./wire/sign.ts";

export interface AskOptions {
  signal: AbortSignal;
  /** Counted up while the asking goes on: requests sent, and those of them that were not the first attempt. */
  tally?: Tally;
  /** Hears of every answer as it came, also of one that is refused and asked for again; our clock, epoch ms. */
  onReply?(reply: Reply, receivedAt: number): void;
}

export interface Client {
  /**
   * One read, repeated where that may help.
   * @throws NetworkError, ApiError; UsageError for parameters that cannot be sent; the signal's reason (a DeadlineError),
   * or, where attempts had failed before it was aborted, the last of their failures.
   */
  ask(address: Address, params: Params, options: AskOptions): Promise<Answer>;
  /** The exchange's clock minus ours in ms; null until it is known. */
  offset(): number | null;
  /** The same as the newest answer told it: rougher, by half the time the answer took. Null before the first. */
  observedOffset(): number | null;
  /** The exchange's clock as far as we know it: ours, corrected by the offset. Epoch ms, whole. */
  exchangeNow(): number;
  /**
   * Asks for the exchange's time and goes by it from then on.
   * @throws ApiError of kind `clock` where it is more than ten minutes from ours: one of the two is wrong.
   */
  measureOffset(signal: AbortSignal): Promise<number>;
  /** Asks for the exchange's time unless it has confirmed the clock as it stands. @throws as `measureOffset` */
  requireClock(signal: AbortSignal): Promise<void>;
  /**
   * Says whose key this is: the exchange limits users, not keys. Returns the other accounts that are known to be of the same
   * user; none where nothing is new.
   */
  belongsTo(user: string): string[];
  close(): void;
}

export interface ClientOptions {
  /** Null: public addresses only. */
  account: Account | null;
  baseUrl: string;
  fallbackBaseUrl: string | null;
  demoTrading: boolean;
  /** Default: none. */
  proxy?: ProxySettings;
  limiter: Limiter;
  clock: Clock;
  /** What all clients learn about the clock. Default: of this client alone. */
  clockCheck?: ClockCheck;
  log: Log;
}

/** An answer with what is needed to compare the clocks. */
interface Received extends Envelope {
  /** Our clock when it arrived. */
  receivedAt: number;
  /** Milliseconds from leaving to arrival. */
  elapsed: number;
}

/** A difference that the way of an answer cannot explain, and is worth going by without being asked for. */
const largeDrift = 2000;
/** Said aloud from here on: the exchange refuses what is 30 s off. */
const notableOffset = 5000;

const isClock = (error: unknown): boolean => error instanceof ApiError && error.kind === "clock";

/** The same for an address that is no dataset's: nobody hears of its answers. */
const quiet = ({ onReply: _, ...rest }: AskOptions): AskOptions => rest;

const isRefusal = (error: unknown): error is CollectorError =>
  error instanceof CollectorError && error.kind === "rate_limited";

/** A run whose time was up while the address was left alone. */
const notAsked = ({ path }: Address): NetworkError =>
  new NetworkError("rate_limited", path, "the exchange refused this a moment ago, and it is not asked again so soon");

function clocksApart({ path }: Address, ms: number): ApiError {
  const apart = `this machine's clock and the exchange's are ${Math.round(Math.abs(ms) / 1000)} s apart`;
  return new ApiError(
    "clock",
    path,
    "clock",
    `${apart}, too far to go by either: set this machine's clock, unless something on the way keeps old answers`,
  );
}

export function createClient(options: ClientOptions): Client {
  const { account, limiter, clock, log, demoTrading, clockCheck = new ClockCheck(clock) } = options;
  const name = account?.name ?? null;
  const sign = account && signer(account);
  const secrets = account ? [account.key, account.secret, account.passphrase] : [];
  const hosts = [options.baseUrl, options.fallbackBaseUrl].filter((host) => host !== null);
  const http = createHttp(hosts, { proxy: options.proxy ?? noProxy });
  let offset: number | null = null;
  let observedOffset: number | null = null;
  let oddType: string | null = null;

  const exchangeNow = (): number => Math.round(clock.now() + (offset ?? 0));

  function headersFor(address: Address, asked: string): Record<string, string> {
    if (!address.signed) return {};
    if (!sign) throw new UsageError(`${address.path} is asked in the name of an account, and there is none`);
    const headers = sign(exchangeNow(), "GET", asked);
    return demoTrading ? { ...headers, paptrading: "1" } : headers;
  }

  async function attempt(address: Address, asked: string, options: AskOptions, tally: Tally): Promise<Received> {
    const { signal, onReply } = options;
    const done = await limiter.take(name, address, signal);
    let answered = false;
    try {
      tally.requests += 1;
      const sentAt = clock.monotonic();
      let signature = "";
      const headersNow = () => {
        const headers = headersFor(address, asked);
        signature = headers["ACCESS-SIGN"] ?? "";
        return headers;
      };
      const reply = await http.get(asked, headersNow, signal);
      answered = true;
      const elapsed = clock.monotonic() - sentAt;
      const receivedAt = clock.now();
      onReply?.(reply, receivedAt);
      log.debug({ account: name, address: address.name, status: reply.status, ms: Math.round(elapsed) }, "answer");
      const envelope = readAnswer(reply, {
        path: address.path,
        now: exchangeNow(),
        redact: (text) => redactor([...secrets, new Secret(signature)])(text),
        onTime: (requestTime) => clockCheck.observed(Math.round(requestTime - (receivedAt - elapsed / 2))),
      });
      limiter.accepted();
      if (envelope.oddType !== null) remark(envelope.oddType);
      return { ...envelope, receivedAt, elapsed };
    } finally {
      done(answered);
    }
  }

  /** Said once: it may be the sign of something that sits between the exchange and us. */
  function remark(type: string): void {
    if (type === oddType) return;
    oddType = type;
    log.warn({ account: name, type }, `the exchange calls its answers "${type}"; they are read as JSON all the same`);
  }

  async function persist(address: Address, params: Params, options: AskOptions): Promise<Received> {
    const { signal, tally = newTally() } = options;
    const asked = target(address.path, params);
    setMaxListeners(0, signal); // one signal ends all requests of a run: many listeners are no leak
    let failed: CollectorError | null = null;
    let clockChecked = false;
    for (let attempts = 1; ; attempts++) {
      try {
        if (failed !== null) tally.retries += 1;
        return await attempt(address, asked, options, tally);
      } catch (error) {
        // A refusal holds for whoever asks next, also when this one asks no more.
        if (isRefusal(error)) {
          tally.rateLimited += 1;
          limiter.pause(name, address, waitAfter(error, attempts));
        }
        if (signal.aborted) throw failed ?? (limiter.isPaused(name, address) ? notAsked(address) : signal.reason);
        if (!(error instanceof CollectorError)) throw error;
        failed = error;
      }
      const { kind, code } = failed;
      if (kind === "clock" && address.signed && !clockChecked) {
        clockChecked = true;
        const refusal = failed;
        await synchronise({ signal, tally }).catch((error: unknown) => {
          // That the time cannot be asked is the failure of another address.
          throw isClock(error) ? error : refusal;
        });
        continue;
      }
      if (attempts >= attemptsFor(failed)) throw failed;
      log.debug({ account: name, address: address.name, code, attempts }, "asked again later");
      if (!isRefusal(failed)) await sleep(clock, waitAfter(failed, attempts), signal).catch(() => {}); // aborted: the next attempt says so
    }
  }

  /** A host that speaks nothing but v1 does not know the newer address. */
  async function askTime(options: AskOptions): Promise<Received & { address: Address }> {
    const { "v2/time": address, "v1/time": old } = addresses;
    try {
      return { address, ...(await persist(address, {}, options)) };
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind !== "api") throw error;
      return { address: old, ...(await persist(old, {}, options)) };
    }
  }

  async function synchronise(options: AskOptions): Promise<number> {
    const { address, data, receivedAt, elapsed } = await askTime(options);
    const serverTime = String(asObject(data)?.serverTime ?? data);
    if (!/^\d{1,16}$/.test(serverTime)) throw new ShapeError(address.path, "data.serverTime", "is no time");
    const measured = Math.round(Number(serverTime) - (receivedAt - elapsed / 2));
    clockCheck.asked(measured);
    if (Math.abs(measured) > largestOffset) throw clocksApart(address, measured);
    return adopt(measured);
  }

  function adopt(measured: number): number {
    offset = measured;
    const fields = { account: name, offsetMs: measured };
    if (Math.abs(measured) > notableOffset)
      log.warn(fields, "this machine's clock is off; set it, the exchange allows 30 s");
    else log.debug(fields, "clock compared");
    return measured;
  }

  /**
   * Every answer tells the exchange's time, if less well than the address made for it: enough to notice a clock that was
   * set. One from the past may be an old answer instead, that somebody kept: the exchange is asked which.
   */
  async function learn(address: Address, received: Received, options: AskOptions): Promise<void> {
    const { requestTime, receivedAt, elapsed } = received;
    if (requestTime === null) return;
    const estimate = Math.round(requestTime - (receivedAt - elapsed / 2));
    observedOffset = estimate;
    const surprise = estimate - (offset ?? 0);
    if (Math.abs(estimate) > largestOffset) {
      // Is it the clock or a cache? Either way the answer is of no use, but the clock is known from then on.
      if (clockCheck.verdict === "unknown") await synchronise(quiet(options)).catch(() => {});
      return;
    }
    if (Math.abs(surprise) - elapsed / 2 <= largeDrift) return;
    if (surprise > 0) {
      adopt(estimate);
      return;
    }
    const measured = await synchronise(quiet(options)).catch(() => null);
    if (measured === null || measured - estimate <= largeDrift) return;
    observedOffset = measured;
    const age = Math.round((measured - estimate) / 1000);
    log.warn(
      { account: name, address: address.name, age },
      `${address.path}: an answer of ${age} s ago; something between the exchange and this machine keeps answers`,
    );
  }

  async function ask(address: Address, params: Params, options: AskOptions): Promise<Answer> {
    const received = await persist(address, params, options);
    await learn(address, received, options);
    const { data, requestTime, receivedAt } = received;
    const ours = receivedAt + (offset ?? 0);
    // Some answers carry none, or 0. One that is far from ours means that one of the two clocks is wrong.
    if (!requestTime) return { data, takenAt: Math.round(ours), receivedAt };
    if (Math.abs(requestTime - ours) > largestOffset) throw clocksApart(address, requestTime - ours);
    return { data, takenAt: requestTime, receivedAt };
  }

  return {
    ask,
    offset: () => offset,
    observedOffset: () => observedOffset,
    exchangeNow,
    belongsTo: (user) => (name === null ? [] : limiter.identify(name, user)),
    measureOffset: (signal) => synchronise({ signal }),
    async requireClock(signal) {
      if (clockCheck.verdict !== "confirmed") await synchronise({ signal });
    },
    close: () => http.close(),
  };
}
