/** Estimates the exchange's clock for one client: our clock plus a measured offset, checked with every response. */
import type { Clock } from "../core/clock.ts";
import type { ApiEndpoint } from "../core/domain.ts";
import { ApiError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { type ClockCheck, maxOffsetMs } from "./clock-check.ts";

/** When a response arrived, for comparing the two clocks. */
export interface Arrival {
  /** Our clock, epoch ms. */
  receivedAt: number;
  /** Milliseconds from sending the request to receiving the response. */
  elapsed: number;
}

export interface ServerClockOptions {
  /** The account named in the log; null for public endpoints. */
  account: string | null;
  clock: Clock;
  clockCheck: ClockCheck;
  log: Log;
}

/** A change of the offset above this is more than network delay and is adopted. Milliseconds. */
const largeDriftMs = 2000;
/** An offset above this is logged as a warning; the exchange rejects requests whose time is 30 s off. Milliseconds. */
const notableOffsetMs = 5000;

/** Returns the exchange's clock minus ours in ms, accurate to half the round-trip time. */
export const offsetFrom = (serverTime: number, { receivedAt, elapsed }: Arrival): number =>
  Math.round(serverTime - (receivedAt - elapsed / 2));

/**
 * Converts an offset to the skew that a run records: this machine's clock minus the exchange's. Everything else, the metric
 * `clock_offset_seconds` included, uses the offset: the exchange's clock minus this machine's. Milliseconds; null stays null.
 */
export const skewFrom = (offset: number | null): number | null => (offset === null ? null : 0 - offset);

export class ServerClock {
  readonly #account: string | null;
  readonly #clock: Clock;
  readonly #check: ClockCheck;
  readonly #log: Log;
  #offset: number | null = null;
  #observedOffset: number | null = null;

  constructor({ account, clock, clockCheck, log }: ServerClockOptions) {
    this.#account = account;
    this.#clock = clock;
    this.#check = clockCheck;
    this.#log = log;
  }

  /** The exchange's clock minus ours in ms, as last measured; null before that. */
  get offset(): number | null {
    return this.#offset;
  }

  /** The same from the newest response with a time, less accurate. Null before the first. */
  get observedOffset(): number | null {
    return this.#observedOffset;
  }

  /** Returns the estimated time of the exchange: ours, corrected by the offset. Epoch ms, whole. */
  now(): number {
    return Math.round(this.#clock.now() + (this.#offset ?? 0));
  }

  /**
   * Sets the clock to a time that was requested from the exchange, and returns the offset in ms.
   * @throws ApiError of kind `clock` if it differs by more than ten minutes from ours
   */
  set(endpoint: ApiEndpoint, serverTime: number, arrival: Arrival): number {
    const measured = offsetFrom(serverTime, arrival);
    this.#check.measured(measured);
    if (Math.abs(measured) > maxOffsetMs) throw clocksApart(endpoint, measured);
    this.#setOffset(measured);
    return measured;
  }

  /**
   * Compares the clocks with the time in a response, which is accurate enough to notice that a clock was set. A time in the past
   * can also come from a cached response; `measure` requests the exchange's time to distinguish the two.
   */
  async observe(
    endpoint: ApiEndpoint,
    serverTime: number,
    arrival: Arrival,
    measure: () => Promise<number>,
  ): Promise<void> {
    const estimate = offsetFrom(serverTime, arrival);
    this.#observedOffset = estimate;
    if (Math.abs(estimate) > maxOffsetMs) {
      // A wrong clock or a cached response: it cannot be used either way, but measuring shows the state of the clock.
      if (this.#check.verdict === "unknown") await measure().catch(() => {});
      return;
    }
    const drift = estimate - (this.#offset ?? 0);
    if (Math.abs(drift) - arrival.elapsed / 2 <= largeDriftMs) return;
    if (drift > 0) {
      this.#setOffset(estimate);
      return;
    }
    const measured = await measure().catch(() => null);
    if (measured === null || measured - estimate <= largeDriftMs) return;
    this.#observedOffset = measured;
    const age = Math.round((measured - estimate) / 1000);
    this.#log.warn(
      { account: this.#account, address: endpoint.name, age },
      `${endpoint.path}: response is ${age} s old; a cache between the exchange and this machine returns old responses`,
    );
  }

  /**
   * Returns the time of a response, epoch ms by the exchange's clock: its own time, or our corrected time if it has none.
   * @throws ApiError of kind `clock` if the two differ by more than ten minutes
   */
  takenAt(endpoint: ApiEndpoint, serverTime: number | null, { receivedAt }: Arrival): number {
    const ours = receivedAt + (this.#offset ?? 0);
    // Some responses have the time 0.
    if (!serverTime) return Math.round(ours);
    if (Math.abs(serverTime - ours) > maxOffsetMs) throw clocksApart(endpoint, serverTime - ours);
    return serverTime;
  }

  #setOffset(measured: number): void {
    this.#offset = measured;
    const fields = { account: this.#account, offsetMs: measured };
    if (Math.abs(measured) > notableOffsetMs)
      this.#log.warn(fields, "this machine's clock is wrong; set it, the exchange allows 30 s of difference");
    else this.#log.debug(fields, "clock compared");
  }
}

function clocksApart({ path }: ApiEndpoint, ms: number): ApiError {
  const apart = `this machine's clock and the exchange's differ by ${Math.round(Math.abs(ms) / 1000)} s`;
  return new ApiError(
    "clock",
    path,
    "clock",
    `${apart}: set this machine's clock, or check for a cache that returns old responses`,
  );
}
