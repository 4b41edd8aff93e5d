/** A signed, rate-limited client of one account that retries temporary failures. It sends only GET and knows no datasets or tables. */
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
import type { Http, HttpResponse } from "./wire/http.ts";
import { asObject } from "./wire/json.ts";
import { attemptsFor, waitAfter } from "./wire/retry.ts";
import { type Sign, signer, target } from "./wire/sign.ts";

export interface RequestOptions {
  signal: AbortSignal;
  /** Counts the requests sent, and how many of them were retries. */
  tally?: Tally;
  /** Called with every raw response, failed and retried ones included. `receivedAt`: our clock, epoch ms. */
  onResponse?(response: HttpResponse, receivedAt: number): void;
}

export interface ClientOptions {
  /** Null for public endpoints only. */
  account: Account | null;
  /** The HTTP client, which several clients can share; the caller closes it. */
  http: Http;
  demoTrading: boolean;
  limiter: Limiter;
  clock: Clock;
  /** Shared by all clients of the program. Default: one for this client. */
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
   * Sends one GET request, retrying temporary failures.
   * @throws NetworkError, ApiError; UsageError for parameters that cannot be sent; if the signal is aborted, the last failure of
   * an attempt, or the signal's reason (a DeadlineError) if there was none
   */
  async get(endpoint: ApiEndpoint, params: Params, options: RequestOptions): Promise<ApiResponse> {
    const received = await this.#getWithRetry(endpoint, params, options);
    const { data, requestTime, receivedAt } = received;
    if (requestTime !== null) {
      // Server-time requests belong to no dataset, so `onResponse` is not called for them.
      const { onResponse: _, ...silent } = options;
      await this.#serverClock.observe(endpoint, requestTime, received, () => this.#synchronise(silent));
    }
    return { data, takenAt: this.#serverClock.takenAt(endpoint, requestTime, received), receivedAt };
  }

  /** Returns the exchange's clock minus ours in ms; null until it is known. */
  offset(): number | null {
    return this.#serverClock.offset;
  }

  /** Returns the same from the newest response, accurate to half its duration. Null before the first. */
  observedOffset(): number | null {
    return this.#serverClock.observedOffset;
  }

  /** Returns the estimated time of the exchange: ours, corrected by the offset. Epoch ms, whole. */
  exchangeNow(): number {
    return this.#serverClock.now();
  }

  /**
   * Requests the exchange's time, uses the offset from then on, and returns it in ms.
   * @throws ApiError of kind `clock` if it differs by more than ten minutes from ours
   */
  measureOffset(signal: AbortSignal): Promise<number> {
    return this.#synchronise({ signal });
  }

  /** Requests the exchange's time unless our clock is confirmed. @throws as `measureOffset` */
  async requireClock(signal: AbortSignal): Promise<void> {
    if (this.#clockCheck.verdict !== "confirmed") await this.#synchronise({ signal });
  }

  /**
   * Records the user that owns this key, because the exchange limits users, not keys. Returns the other accounts of the same
   * user, or none if the user was recorded before.
   */
  identifyUser(user: string): string[] {
    return this.#account === null ? [] : this.#limiter.identify(this.#account, user);
  }

  async #getWithRetry(endpoint: ApiEndpoint, params: Params, options: RequestOptions): Promise<Received> {
    const { signal, tally = newTally() } = options;
    const pathAndQuery = target(endpoint.path, params);
    setMaxListeners(0, signal); // many listeners are no leak: one signal ends all requests of a run
    let failed: CollectorError | null = null;
    let clockChecked = false;
    for (let attempts = 1; ; attempts++) {
      try {
        if (failed !== null) tally.retries += 1;
        const received = await this.#attempt(endpoint, pathAndQuery, options, tally);
        tally.responses += 1;
        return received;
      } catch (error) {
        if (error instanceof ApiError || isRateLimited(error)) tally.responses += 1;
        // A rate limit applies to later requests too, even if this one is not retried.
        if (isRateLimited(error)) {
          tally.rateLimited += 1;
          this.#limiter.pause(this.#account, endpoint, waitAfter(error, attempts));
        }
        if (signal.aborted) throw failed ?? this.#whyAborted(endpoint, signal);
        if (!(error instanceof CollectorError)) throw error;
        failed = error;
      }
      const { kind, code } = failed;
      if (kind === "clock" && endpoint.signed && !clockChecked) {
        clockChecked = true;
        await this.#synchroniseAfter(failed, { signal, tally });
        continue;
      }
      if (attempts >= attemptsFor(failed)) throw failed;
      this.#log.debug({ account: this.#account, address: endpoint.name, code, attempts }, "retrying later");
      // After a rate limit the limiter waits. An aborted wait ends in the next attempt.
      if (!isRateLimited(failed)) await sleep(this.#clock, waitAfter(failed, attempts), signal).catch(() => {});
    }
  }

  async #attempt(
    endpoint: ApiEndpoint,
    pathAndQuery: string,
    options: RequestOptions,
    tally: Tally,
  ): Promise<Received> {
    const { signal, onResponse } = options;
    const release = await this.#limiter.take(this.#account, endpoint, signal);
    let responded = false;
    try {
      tally.requests += 1;
      const sentAt = this.#clock.monotonic();
      let signature = "";
      const headersNow = () => {
        const headers = this.#headersFor(endpoint, pathAndQuery);
        signature = headers["ACCESS-SIGN"] ?? "";
        return headers;
      };
      const response = await this.#http.get(pathAndQuery, headersNow, signal);
      responded = true;
      const elapsed = this.#clock.monotonic() - sentAt;
      const receivedAt = this.#clock.now();
      onResponse?.(response, receivedAt);
      const fields = {
        account: this.#account,
        address: endpoint.name,
        status: response.status,
        ms: Math.round(elapsed),
      };
      this.#log.debug(fields, "response");
      const envelope = parseResponse(response, {
        path: endpoint.path,
        now: this.exchangeNow(),
        redact: (text) => redactor([...this.#secrets, new Secret(signature)])(text),
        onTime: (serverTime) => this.#clockCheck.observed(offsetFrom(serverTime, { receivedAt, elapsed })),
      });
      this.#limiter.accepted(this.#account);
      this.#warnContentTypeOnce(envelope.unexpectedType);
      return { ...envelope, receivedAt, elapsed };
    } finally {
      release(responded);
    }
  }

  #headersFor(endpoint: ApiEndpoint, pathAndQuery: string): Record<string, string> {
    if (!endpoint.signed) return {};
    if (!this.#sign) throw new UsageError(`${endpoint.path} requires an account, and none is configured`);
    const headers = this.#sign(this.exchangeNow(), "GET", pathAndQuery);
    return this.#demoTrading ? { ...headers, paptrading: "1" } : headers;
  }

  /** Warns about a content type other than JSON, which can indicate a proxy between this machine and the exchange. */
  #warnContentTypeOnce(type: string | null): void {
    if (type === null || type === this.#warnedType) return;
    this.#warnedType = type;
    const fields = { account: this.#account, type };
    this.#log.warn(fields, `responses have the content type "${type}"; they are parsed as JSON anyway`);
  }

  /** Returns the error of an aborted request: rate-limited if the limiter delayed it, else the signal's reason. */
  #whyAborted(endpoint: ApiEndpoint, signal: AbortSignal): unknown {
    if (!this.#limiter.isPaused(this.#account, endpoint)) return signal.reason;
    const problem = "not requested: the exchange rate-limited this endpoint shortly before";
    return new NetworkError("rate_limited", endpoint.path, problem);
  }

  async #synchronise(options: RequestOptions): Promise<number> {
    const { endpoint, data, receivedAt, elapsed } = await this.#getTime(options);
    const serverTime = String(asObject(data)?.serverTime ?? data);
    if (!/^\d{1,16}$/.test(serverTime)) throw new ShapeError(endpoint.path, "data.serverTime", "is not a time");
    return this.#serverClock.set(endpoint, Number(serverTime), { receivedAt, elapsed });
  }

  /** Synchronises after a rejected timestamp. @throws `refusal` if that fails for another reason than the clock */
  async #synchroniseAfter(refusal: CollectorError, options: RequestOptions): Promise<void> {
    await this.#synchronise(options).catch((error: unknown) => {
      throw error instanceof ApiError && error.kind === "clock" ? error : refusal;
    });
  }

  /** Requests the exchange's time from v2, or from v1 on a host that has only v1. */
  async #getTime(options: RequestOptions): Promise<Received & { endpoint: ApiEndpoint }> {
    const { "v2/time": endpoint, "v1/time": old } = commonEndpoints;
    try {
      return { endpoint, ...(await this.#getWithRetry(endpoint, {}, options)) };
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind !== "api") throw error;
      return { endpoint: old, ...(await this.#getWithRetry(old, {}, options)) };
    }
  }
}

const isRateLimited = (error: unknown): error is CollectorError =>
  error instanceof CollectorError && error.kind === "rate_limited";
