/**
 * Allows at most N requests in any window of the given length (sliding window). A permit is free again one window after its
 * request ended, or two windows if the end is unknown. Callers wait for a permit in a FIFO queue of bottleneck.
 */
import Bottleneck from "bottleneck";
import type { Clock } from "../../core/clock.ts";
import { DeadlineError } from "../../core/errors.ts";

export interface Permit {
  /** Call when the request ended: the permit is free again one window from now. */
  release(): void;
  /** Call after a timeout: the request may still reach the exchange, so the permit is held for two windows. */
  releaseUncertain(): void;
  /** Call if nothing was sent: the permit is free at once. */
  cancel(): void;
}

interface Waiter {
  grant(permit: Permit): void;
  reject(reason: unknown): void;
  /** Ends its job in the queue, so that the next one starts. */
  leave(): void;
}

/** How often the wall clock is checked while a caller waits. Milliseconds. */
const wallClockCheckMs = 250;

export class SlidingWindowLimiter {
  readonly #window: number;
  readonly #clock: Clock;
  readonly #wasSetBack = setBackDetector();
  /** The waiting callers in order of arrival. */
  readonly #waiters = new Set<Waiter>();
  /** Monotonic instants at which used permits become free, the next one first. */
  readonly #returns: number[] = [];
  #free: number;
  /** Null until a caller has to wait: most accounts never do, and a queue takes more memory than everything else here. */
  #queue: Bottleneck | null = null;
  #head: Waiter | null = null;
  #closed = false;
  #watch: NodeJS.Timeout | null = null;
  #cancelReturn: (() => void) | null = null;

  /** `window` in milliseconds. */
  constructor(count: number, window: number, clock: Clock) {
    this.#free = count;
    this.#window = window;
    this.#clock = clock;
  }

  /** Resolves with a permit, in order of arrival; rejects with the signal's reason and leaves the queue. */
  async take(signal: AbortSignal): Promise<Permit> {
    if (signal.aborted) throw signal.reason;
    if (this.#closed) throw stopping();
    if (this.#free === 0 || this.#waiters.size > 0) return this.#wait(signal);
    this.#free -= 1;
    return this.#permit();
  }

  /** The number of permits that can be taken without waiting. */
  get free(): number {
    return this.#free;
  }

  /** Rejects all waiting callers and clears the timers. */
  close(): void {
    this.#closed = true;
    this.#cancelReturn?.();
    for (const waiter of [...this.#waiters]) waiter.reject(stopping());
    this.#queue?.stop().catch(() => {});
  }

  #permit(): Permit {
    let out = true;
    const once = (back: () => void) => () => {
      if (out) back();
      out = false;
    };
    return {
      release: once(() => this.#freeAfter(1)),
      releaseUncertain: once(() => this.#freeAfter(2)),
      cancel: once(() => this.#freeOne()),
    };
  }

  #wait(signal: AbortSignal): Promise<Permit> {
    return new Promise((resolve, reject) => {
      const end = () => {
        signal.removeEventListener("abort", onAbort);
        this.#waiters.delete(waiter);
        if (this.#head === waiter) this.#head = null;
        this.#watchClock();
        waiter.leave();
      };
      const waiter: Waiter = {
        grant(permit) {
          end();
          resolve(permit);
        },
        reject(reason) {
          end();
          reject(reason);
        },
        leave: () => {},
      };
      const onAbort = () => waiter.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.add(waiter);
      this.#watchClock();
      this.#enqueue(waiter);
    });
  }

  #enqueue(waiter: Waiter): void {
    const queue = this.#queue ?? this.#newestQueue();
    const job = () =>
      new Promise<void>((done) => {
        // The queue was replaced, or the caller gave up.
        if (queue !== this.#queue || !this.#waiters.has(waiter)) return done();
        waiter.leave = done;
        this.#head = waiter;
        this.#grantNext();
      });
    // Rejects only if the queue is stopped: either it was replaced, or closing it has rejected all callers.
    queue.schedule(job).catch(() => {});
  }

  /** Creates the queue; earlier steps of the wall clock do not affect it. */
  #newestQueue(): Bottleneck {
    this.#wasSetBack();
    this.#queue = newQueue();
    return this.#queue;
  }

  #grantNext(): void {
    if (this.#head === null || this.#free === 0) return;
    this.#free -= 1;
    this.#head.grant(this.#permit());
  }

  #freeOne(): void {
    this.#free += 1;
    this.#grantNext();
  }

  #freeAfter(windows: number): void {
    if (this.#closed) return;
    const at = this.#clock.monotonic() + windows * this.#window;
    const before = this.#returns.findLastIndex((other) => other <= at);
    this.#returns.splice(before + 1, 0, at);
    if (this.#cancelReturn !== null && before >= 0) return;
    this.#cancelReturn?.();
    this.#returnLater();
  }

  #returnLater(): void {
    const next = this.#returns[0];
    if (next === undefined) {
      this.#cancelReturn = null;
      return;
    }
    const wait = Math.max(1, Math.ceil(next - this.#clock.monotonic()));
    this.#cancelReturn = this.#clock.after(wait, () => {
      const now = this.#clock.monotonic();
      while ((this.#returns[0] ?? Number.POSITIVE_INFINITY) <= now) {
        this.#returns.shift();
        this.#freeOne();
      }
      this.#returnLater();
    });
  }

  /**
   * Replaces the queue after the wall clock was set back: bottleneck uses that clock and would start no job until the old time is
   * reached again (SGrondin/bottleneck#134). Keeps the order of the callers.
   */
  #renewQueueIfSetBack(): void {
    if (!this.#wasSetBack()) return;
    const old = this.#queue;
    this.#queue = newQueue();
    this.#head = null;
    for (const waiter of this.#waiters) {
      waiter.leave();
      this.#enqueue(waiter);
    }
    old?.stop().catch(() => {});
  }

  #watchClock(): void {
    if (this.#waiters.size > 0) {
      this.#watch ??= setInterval(() => this.#renewQueueIfSetBack(), wallClockCheckMs).unref();
    } else if (this.#watch !== null) {
      clearInterval(this.#watch);
      this.#watch = null;
    }
  }
}

const newQueue = (): Bottleneck => new Bottleneck({ maxConcurrent: 1 });

const stopping = (): DeadlineError => new DeadlineError("the program is stopping");

/** Smaller steps are ignored, because they delay the queue only briefly. Milliseconds. */
const smallStep = 50;

/**
 * Returns a function that reports whether the machine's wall clock was set back since its last call. bottleneck always uses
 * that clock, whatever clock the program uses.
 */
function setBackDetector(): () => boolean {
  const lead = () => Date.now() - performance.now();
  let last = lead();
  return () => {
    const before = last;
    last = lead();
    return last < before - smallStep;
  };
}
