/** The exchange's clock as one client knows it: ours plus a measured offset, watched in every response. */
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
  /** Named in the log; null for public endpoints. */
  account: string | null;
  clock: Clock;
  clockCheck: ClockCheck;
  log: Log;
}

/** A difference that the travel time of a response cannot explain, in ms; from here on the new offset is used. */
const largeDriftMs = 2000;
/** Logged as a warning from here on, in ms: the exchange refuses requests whose time is 30 s off. */
const notableOffsetMs = 5000;

/** Returns the exchange's clock minus ours in ms, accurate to half the time that the response took. */
export const offsetFrom = (serverTime: number, { receivedAt, elapsed }: Arrival): number =>
  Math.round(serverTime - (receivedAt - elapsed / 2));

/**
 * Turns an offset into the skew that a run records: this machine's clock minus the exchange's. Everything else, the metric
 * `clock_offset_seconds` too, has the offset, which is the exchange's clock minus this machine's. Milliseconds; null stays null.
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

  /** The same by the newest response that carried a time: less accurate. Null before the first. */
  get observedOffset(): number | null {
    return this.#observedOffset;
  }

  /** Returns the exchange's time as far as it is known: ours, corrected by the offset. Epoch ms, whole. */
  now(): number {
    return Math.round(this.#clock.now() + (this.#offset ?? 0));
  }

  /**
   * Adopts the time that the exchange gave when asked for it, and returns the offset in ms.
   * @throws ApiError of kind `clock` where it is more than ten minutes from ours: one of the two is wrong.
   */
  set(address: ApiEndpoint, serverTime: number, arrival: Arrival): number {
    const measured = offsetFrom(serverTime, arrival);
    this.#check.measured(measured);
    if (Math.abs(measured) > maxOffsetMs) throw clocksApart(address, measured);
    this.#setOffset(measured);
    return measured;
  }

  /**
   * Compares the clocks by the time that every response carries: accurate enough to notice a clock that was set. A time from the
   * past may be an old response that a cache kept instead; `measure` asks the exchange which of the two it is.
   */
  async observe(
    address: ApiEndpoint,
    serverTime: number,
    arrival: Arrival,
    measure: () => Promise<number>,
  ): Promise<void> {
    const estimate = offsetFrom(serverTime, arrival);
    this.#observedOffset = estimate;
    if (Math.abs(estimate) > maxOffsetMs) {
      // A wrong clock or a cache: the response is of no use either way, but afterwards the clock is known.
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
      { account: this.#account, address: address.name, age },
      `${address.path}: an answer of ${age} s ago; something between the exchange and this machine keeps answers`,
    );
  }

  /**
   * Returns when a response was made, epoch ms by the exchange's clock: its own time where it carries one, else ours, corrected.
   * @throws ApiError of kind `clock` where the two are more than ten minutes apart.
   */
  takenAt(address: ApiEndpoint, serverTime: number | null, { receivedAt }: Arrival): number {
    const ours = receivedAt + (this.#offset ?? 0);
    // Some responses carry 0.
    if (!serverTime) return Math.round(ours);
    if (Math.abs(serverTime - ours) > maxOffsetMs) throw clocksApart(address, serverTime - ours);
    return serverTime;
  }

  #setOffset(measured: number): void {
    this.#offset = measured;
    const fields = { account: this.#account, offsetMs: measured };
    if (Math.abs(measured) > notableOffsetMs)
      this.#log.warn(fields, "this machine's clock is off; set it, the exchange allows 30 s");
    else this.#log.debug(fields, "clock compared");
  }
}

function clocksApart({ path }: ApiEndpoint, ms: number): ApiError {
  const apart = `this machine's clock and the exchange's are ${Math.round(Math.abs(ms) / 1000)} s apart`;
  return new ApiError(
    "clock",
    path,
    "clock",
    `${apart}, too far to go by either: set this machine's clock, unless something on the way keeps old answers`,
  );
}
