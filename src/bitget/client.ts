/** A signed, rate-limited client of one account that retries where that may help. It knows no datasets or tables, and only sends GET. */
import { setMaxListeners } from "node:events";
import { type Clock, sleep } from "../core/clock.ts";
import {
  type Account,
  type ApiEndpoint,
  type ApiResponse,
  newTally,
  type Params,
  Secret,
  type Tally,
} from "../core/domain.ts";
import { ApiError, CollectorError, NetworkError, ShapeError, UsageError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { redactor } from "../core/text.ts";
import { ClockCheck } from "./clock-check.ts";
import { commonEndpoints } from "./endpoints.ts";
import type { Limiter } from "./limits/rate-limiter.ts";
import { type Arrival, offsetFrom, ServerClock } from "./server-clock.ts";
import { type Envelope, parseResponse } from "./wire/envelope.ts";
import type { Http, Reply } from "./wire/http.ts";
import { asObject } from "./wire/json.ts";
import { attemptsFor, waitAfter } from "./wire/retry.ts";
import { type Sign, signer, target } from "./wire/sign.ts";

export interface RequestOptions {
  signal: AbortSignal;
  /** Counts the requests sent, and those of them that were not the first attempt. */
  tally?: Tally;
  /** Called with every response as it came, also with one that is refused and retried; our clock, epoch ms. */
  onReply?(reply: Reply, receivedAt: number): void;
}

export interface ClientOptions {
  /** Null: public endpoints only. */
  account: Account | null;
  /** Closed by the caller: clients may share it. */
  http: Http;
  demoTrading: boolean;
  limiter: Limiter;
  clock: Clock;
  /** What all clients learn about the clock. Default: of this client alone. */
  clockCheck?: ClockCheck;
  log: Log;
}

/** A response and when it arrived. */
interface Received extends Envelope, Arrival {}

export class Client {
  readonly #account: string | null;
  readonly #sign: Sign | null;
  readonly #secrets: readonly Secret[];
  readonly #demoTrading: boolean;
  readonly #http: Http;
  readonly #limiter: Limiter;
  readonly #clock: Clock;
  readonly #clockCheck: ClockCheck;
  readonly #serverClock: ServerClock;
  readonly #log: Log;
  #warnedType: string | null = null;

  constructor({ account, http, demoTrading, ...options }: ClientOptions) {
    const { limiter, clock, clockCheck = new ClockCheck(clock), log } = options;
    this.#account = account?.name ?? null;
    this.#sign = account && signer(account);
    this.#secrets = account ? [account.key, account.secret, account.passphrase] : [];
    this.#demoTrading = demoTrading;
    this.#http = http;
    this.#limiter = limiter;
    this.#clock = clock;
    this.#clockCheck = clockCheck;
    this.#serverClock = new ServerClock({ account: this.#account, clock, clockCheck, log });
    this.#log = log;
  }

  /**
   * Sends one read, retried where that may help.
   * @throws NetworkError, ApiError; UsageError for parameters that cannot be sent; the signal's reason (a DeadlineError),
   * or, where attempts had failed before it was aborted, the last of their failures.
   */
  async get(address: ApiEndpoint, params: Params, options: RequestOptions): Promise<ApiResponse> {
    const received = await this.#getWithRetry(address, params, options);
    const { data, requestTime, receivedAt } = received;
    if (requestTime !== null) {
      // Server-time requests belong to no dataset, so `onReply` is not called for them.
      const { onReply: _, ...silent } = options;
      await this.#serverClock.observe(address, requestTime, received, () => this.#synchronise(silent));
    }
    return { data, takenAt: this.#serverClock.takenAt(address, requestTime, received), receivedAt };
  }

  /** Returns the exchange's clock minus ours in ms; null until it is known. */
  offset(): number | null {
    return this.#serverClock.offset;
  }

  /** Returns the same by the newest response: less accurate, by half the time it took. Null before the first. */
  observedOffset(): number | null {
    return this.#serverClock.observedOffset;
  }

  /** Returns the exchange's time as far as we know it: ours, corrected by the offset. Epoch ms, whole. */
  exchangeNow(): number {
    return this.#serverClock.now();
  }

  /**
   * Requests the exchange's time, corrects ours by it from then on, and returns the offset in ms.
   * @throws ApiError of kind `clock` where it is more than ten minutes from ours: one of the two is wrong.
   */
  measureOffset(signal: AbortSignal): Promise<number> {
    return this.#synchronise({ signal });
  }

  /** Requests the exchange's time unless it has confirmed our clock as it stands. @throws as `measureOffset` */
  async requireClock(signal: AbortSignal): Promise<void> {
    if (this.#clockCheck.verdict !== "confirmed") await this.#synchronise({ signal });
  }

  /**
   * Records the user of this key, because the exchange limits users, not keys. Returns the other accounts known to belong
   * to the same user; empty where nothing is new.
   */
  identifyUser(user: string): string[] {
    return this.#account === null ? [] : this.#limiter.identify(this.#account, user);
  }

  async #getWithRetry(address: ApiEndpoint, params: Params, options: RequestOptions): Promise<Received> {
    const { signal, tally = newTally() } = options;
    const pathAndQuery = target(address.path, params);
    setMaxListeners(0, signal); // one signal ends all requests of a run: many listeners are no leak
    let failed: CollectorError | null = null;
    let clockChecked = false;
    for (let attempts = 1; ; attempts++) {
      try {
        if (failed !== null) tally.retries += 1;
        return await this.#attempt(address, pathAndQuery, options, tally);
      } catch (error) {
        // A refusal counts for every later request, also where this one is not retried.
        if (isRefusal(error)) {
          tally.rateLimited += 1;
          this.#limiter.pause(this.#account, address, waitAfter(error, attempts));
        }
        if (signal.aborted) throw failed ?? this.#whyAborted(address, signal);
        if (!(error instanceof CollectorError)) throw error;
        failed = error;
      }
      const { kind, code } = failed;
      if (kind === "clock" && address.signed && !clockChecked) {
        clockChecked = true;
        await this.#synchroniseAfter(failed, { signal, tally });
        continue;
      }
      if (attempts >= attemptsFor(failed)) throw failed;
      this.#log.debug({ account: this.#account, address: address.name, code, attempts }, "asked again later");
      // After a refusal the limiter waits. A wait that is aborted ends in the next attempt.
      if (!isRefusal(failed)) await sleep(this.#clock, waitAfter(failed, attempts), signal).catch(() => {});
    }
  }

  async #attempt(address: ApiEndpoint, pathAndQuery: string, options: RequestOptions, tally: Tally): Promise<Received> {
    const { signal, onReply } = options;
    const release = await this.#limiter.take(this.#account, address, signal);
    let answered = false;
    try {
      tally.requests += 1;
      const sentAt = this.#clock.monotonic();
      let signature = "";
      const headersNow = () => {
        const headers = this.#headersFor(address, pathAndQuery);
        signature = headers["ACCESS-SIGN"] ?? "";
        return headers;
      };
      const reply = await this.#http.get(pathAndQuery, headersNow, signal);
      answered = true;
      const elapsed = this.#clock.monotonic() - sentAt;
      const receivedAt = this.#clock.now();
      onReply?.(reply, receivedAt);
      const fields = { account: this.#account, address: address.name, status: reply.status, ms: Math.round(elapsed) };
      this.#log.debug(fields, "answer");
      const envelope = parseResponse(reply, {
        path: address.path,
        now: this.exchangeNow(),
        redact: (text) => redactor([...this.#secrets, new Secret(signature)])(text),
        onTime: (serverTime) => this.#clockCheck.observed(offsetFrom(serverTime, { receivedAt, elapsed })),
      });
      this.#limiter.accepted(this.#account);
      this.#warnContentTypeOnce(envelope.unexpectedType);
      return { ...envelope, receivedAt, elapsed };
    } finally {
      release(answered);
    }
  }

  #headersFor(address: ApiEndpoint, pathAndQuery: string): Record<string, string> {
    if (!address.signed) return {};
    if (!this.#sign) throw new UsageError(`${address.path} needs an account, and none is configured`);
    const headers = this.#sign(this.exchangeNow(), "GET", pathAndQuery);
    return this.#demoTrading ? { ...headers, paptrading: "1" } : headers;
  }

  /** Another content type may be the sign of something between the exchange and us. */
  #warnContentTypeOnce(type: string | null): void {
    if (type === null || type === this.#warnedType) return;
    this.#warnedType = type;
    const fields = { account: this.#account, type };
    this.#log.warn(fields, `the exchange calls its answers "${type}"; they are read as JSON all the same`);
  }

  /** Returns the signal's reason, or that the limiter held the request back until the time was up. */
  #whyAborted(address: ApiEndpoint, signal: AbortSignal): unknown {
    if (!this.#limiter.isPaused(this.#account, address)) return signal.reason;
    const problem = "the exchange refused this a moment ago, and it is not asked again so soon";
    return new NetworkError("rate_limited", address.path, problem);
  }

  async #synchronise(options: RequestOptions): Promise<number> {
    const { address, data, receivedAt, elapsed } = await this.#getTime(options);
    const serverTime = String(asObject(data)?.serverTime ?? data);
    if (!/^\d{1,16}$/.test(serverTime)) throw new ShapeError(address.path, "data.serverTime", "is no time");
    return this.#serverClock.set(address, Number(serverTime), { receivedAt, elapsed });
  }

  /** Synchronises after a refused timestamp. @throws `refusal` where that fails for another reason than the clock */
  async #synchroniseAfter(refusal: CollectorError, options: RequestOptions): Promise<void> {
    await this.#synchronise(options).catch((error: unknown) => {
      throw error instanceof ApiError && error.kind === "clock" ? error : refusal;
    });
  }

  /** A host that speaks only v1 does not know the newer endpoint. */
  async #getTime(options: RequestOptions): Promise<Received & { address: ApiEndpoint }> {
    const { "v2/time": address, "v1/time": old } = commonEndpoints;
    try {
      return { address, ...(await this.#getWithRetry(address, {}, options)) };
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind !== "api") throw error;
      return { address: old, ...(await this.#getWithRetry(old, {}, options)) };
    }
  }
}

const isRefusal = (error: unknown): error is CollectorError =>
  error instanceof CollectorError && error.kind === "rate_limited";
