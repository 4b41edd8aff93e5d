/**
 * Whether the exchange has confirmed this machine's clock as it stands. A machine without a battery-backed clock starts in the
 * past, and whatever is written by such a clock stays in the history: only a confirmed one may create slots.
 */
import type { Clock } from "../core/clock.ts";

/** `unknown`: not checked since the clock was set or the machine slept. */
export type ClockVerdict = "confirmed" | "contradicted" | "unknown";

/** The largest accepted offset, milliseconds. Above it one of the clocks is wrong; up to it requests are signed with the exchange's time. */
export const maxOffsetMs = 600_000;

/**
 * A clock that differs by less from the exchange's, or has stepped by less since, counts as the same. Milliseconds: the exchange refuses
 * timestamps that are further off (https://www.bitget.com/api-doc/common/signature, code 40008).
 */
export const clockToleranceMs = 30_000;

/** One for the whole program: there is one clock. */
export class ClockCheck {
  readonly #clock: Clock;
  /** The newest reading: the exchange's clock minus ours, and how far our wall clock was ahead of the monotonic one. */
  #reading: { offset: number; lead: number } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get verdict(): ClockVerdict {
    if (this.#reading === null || Math.abs(this.#lead() - this.#reading.lead) > clockToleranceMs) return "unknown";
    return Math.abs(this.#reading.offset) <= maxOffsetMs ? "confirmed" : "contradicted";
  }

  /** The exchange's clock minus ours in ms, as last read; null before that. */
  get offset(): number | null {
    return this.#reading?.offset ?? null;
  }

  /** Takes note of the time that the exchange gave when asked for it. `offset`: its clock minus ours in ms. */
  measured(offset: number): void {
    this.#reading = { offset, lead: this.#lead() };
  }

  /** Takes note of the time that any answer carries. One that is far off proves nothing: it may come out of a cache. */
  observed(offset: number): void {
    if (Math.abs(offset) <= maxOffsetMs) this.measured(offset);
  }

  #lead(): number {
    return this.#clock.now() - this.#clock.monotonic();
  }
}
