/**
 * Tracks whether the exchange has confirmed this machine's clock. A machine without a battery-backed clock starts in the past, and
 * rows written with a wrong time would stay in the history, so only a confirmed clock may create slots.
 */
import type { Clock } from "../core/clock.ts";

/** The state of our clock; `unknown` if it was not checked since the clock was set or the machine slept. */
export type ClockVerdict = "confirmed" | "contradicted" | "unknown";

/** The largest accepted offset in milliseconds: up to it requests are signed with the exchange's time; above it one clock is wrong. */
export const maxOffsetMs = 600_000;

/**
 * The largest step or difference that is ignored, in milliseconds. The exchange rejects timestamps that differ by more
 * (https://www.bitget.com/api-doc/common/signature, code 40008).
 */
export const clockToleranceMs = 30_000;

/** Compares our clock with the exchange's. One for the whole program, because there is one clock. */
export class ClockCheck {
  readonly #clock: Clock;
  /** The newest measurement: the exchange's clock minus ours, and our wall clock minus our monotonic clock. */
  #reading: { offset: number; lead: number } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get verdict(): ClockVerdict {
    if (this.#reading === null || Math.abs(this.#lead() - this.#reading.lead) > clockToleranceMs) return "unknown";
    return Math.abs(this.#reading.offset) <= maxOffsetMs ? "confirmed" : "contradicted";
  }

  /** The exchange's clock minus ours in ms, as last measured; null before that. */
  get offset(): number | null {
    return this.#reading?.offset ?? null;
  }

  /** Records the offset from a time that was requested from the exchange: its clock minus ours in ms. */
  measured(offset: number): void {
    this.#reading = { offset, lead: this.#lead() };
  }

  /** Records the offset from the time of any response. Ignores large offsets, because the response may come from a cache. */
  observed(offset: number): void {
    if (Math.abs(offset) <= maxOffsetMs) this.measured(offset);
  }

  #lead(): number {
    return this.#clock.now() - this.#clock.monotonic();
  }
}
