/** The source of time, passed as a parameter everywhere so that tests can simulate any period. */

export interface Clock {
  /** The wall clock: epoch ms UTC. May step in either direction. */
  now(): number;
  /** Milliseconds that never decrease; use for durations only. */
  monotonic(): number;
  /** Calls `action` once after `ms` of this clock; the returned function cancels it. */
  after(ms: number, action: () => void): () => void;
}

/** An instant on both clocks: epoch ms, and milliseconds of the monotonic clock. */
export interface Instant {
  wall: number;
  monotonic: number;
}

export const instantOf = (clock: Clock): Instant => ({ wall: clock.now(), monotonic: clock.monotonic() });

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or rejects with the signal's reason as soon as the signal is aborted. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * A clock that starts at any instant, runs at the pace of the machine's clock and can be set forward, which runs every timer
 * that is then due at once, in order. Wall clock and monotonic clock move together, as if the time had passed.
 */
export class SimulatedClock implements Clock {
  readonly #base: Clock;
  #offset: number;
  #skipped = 0;
  readonly #alarms = new Set<{ at: number; action: () => void; cancel: () => void }>();

  constructor(start: number, base: Clock = systemClock) {
    this.#base = base;
    this.#offset = start - base.now();
  }

  now(): number {
    return this.#base.now() + this.#offset;
  }

  monotonic(): number {
    return this.#base.monotonic() + this.#skipped;
  }

  after(ms: number, action: () => void): () => void {
    const alarm = { at: this.monotonic() + ms, action, cancel: () => {} };
    this.#arm(alarm);
    return () => {
      alarm.cancel();
      this.#alarms.delete(alarm);
    };
  }

  /** Sets the clock forward to `instant` (epoch ms); does nothing if that has passed. */
  jump(instant: number): void {
    const step = instant - this.now();
    if (step <= 0) return;
    this.#offset += step;
    this.#skipped += step;
    const due = [...this.#alarms].sort((a, b) => a.at - b.at);
    for (const alarm of due) {
      alarm.cancel();
      this.#alarms.delete(alarm);
      if (alarm.at <= this.monotonic()) alarm.action();
      else this.#arm(alarm);
    }
  }

  /** Sets the wall clock forward to `instant` (epoch ms), as if the machine had slept: no timer runs meanwhile. */
  sleepUntil(instant: number): void {
    this.#offset += Math.max(0, instant - this.now());
  }

  /** Sets the clock forward to its next timer, which runs; does nothing if there is none. */
  skipToTimer(): void {
    const next = Math.min(...[...this.#alarms].map(({ at }) => at));
    if (Number.isFinite(next)) this.jump(this.now() + Math.ceil(next - this.monotonic()));
  }

  #arm(alarm: { at: number; action: () => void; cancel: () => void }): void {
    this.#alarms.add(alarm);
    alarm.cancel = this.#base.after(Math.max(0, alarm.at - this.monotonic()), () => {
      this.#alarms.delete(alarm);
      alarm.action();
    });
  }
}
