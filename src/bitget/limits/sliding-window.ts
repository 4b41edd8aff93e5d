/**
 * So many uses a window, exact over every sliding window of that length: a permit comes back one window after its use
 * has ended, or two where nobody knows when that was. Those who find none free wait in bottleneck's queue, one of them at its head.
 */
import Bottleneck from "bottleneck";
import type { Clock } from "../../core/clock.ts";
import { DeadlineError } from "../../core/errors.ts";

export interface Permit {
  /** The use has ended: the permit comes back one window from now. */
  used(): void;
  /** The use ended for us alone: what was sent may still be on its way, and counts for another window. */
  lost(): void;
  /** It was not used after all: it comes back at once. */
  unused(): void;
}

interface Waiter {
  grant(permit: Permit): void;
  refuse(reason: unknown): void;
  /** Ends its job in the queue, so that the next one moves up. */
  leave(): void;
}

/** How often the wall clock is looked at while somebody waits. Milliseconds. */
const watchInterval = 250;

export class Permits {
  readonly #window: number;
  readonly #clock: Clock;
  readonly #wasSetBack = setBackDetector();
  /** In the order they came. */
  readonly #waiters = new Set<Waiter>();
  /** Monotonic instants at which used permits come back, the next one first. */
  readonly #returns: number[] = [];
  #free: number;
  /** Null until somebody has to wait: most accounts never do, and a queue is larger than all the rest. */
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

  /** Resolves with a permit, in order of asking; rejects with the signal's reason, and the place is given up. */
  async take(signal: AbortSignal): Promise<Permit> {
    if (signal.aborted) throw signal.reason;
    if (this.#closed) throw stopping();
    if (this.#free === 0 || this.#waiters.size > 0) return this.#wait(signal);
    this.#free -= 1;
    return this.#permit();
  }

  /** How many may be taken at once, now. */
  get free(): number {
    return this.#free;
  }

  /** Refuses those who wait and leaves no timer behind. */
  close(): void {
    this.#closed = true;
    this.#cancelReturn?.();
    for (const waiter of [...this.#waiters]) waiter.refuse(stopping());
    this.#queue?.stop().catch(() => {});
  }

  #permit(): Permit {
    let out = true;
    const once = (back: () => void) => () => {
      if (out) back();
      out = false;
    };
    return {
      used: once(() => this.#cool(1)),
      lost: once(() => this.#cool(2)),
      unused: once(() => this.#giveBack()),
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
        refuse(reason) {
          end();
          reject(reason);
        },
        leave: () => {},
      };
      const onAbort = () => waiter.refuse(signal.reason);
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
        // A queue that was replaced has nothing to give; whoever gave up needs nothing.
        if (queue !== this.#queue || !this.#waiters.has(waiter)) return done();
        waiter.leave = done;
        this.#head = waiter;
        this.#serve();
      });
    // It rejects only when a queue is stopped: replaced, where nothing is lost, or closed, where all were refused.
    queue.schedule(job).catch(() => {});
  }

  /** Goes by the wall clock as it is from now on; earlier steps of it are no concern of the queue. */
  #newestQueue(): Bottleneck {
    this.#wasSetBack();
    this.#queue = newQueue();
    return this.#queue;
  }

  #serve(): void {
    if (this.#head === null || this.#free === 0) return;
    this.#free -= 1;
    this.#head.grant(this.#permit());
  }

  #giveBack(): void {
    this.#free += 1;
    this.#serve();
  }

  #cool(windows: number): void {
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
        this.#giveBack();
      }
      this.#returnLater();
    });
  }

  /**
   * bottleneck goes by the wall clock even without a pace of its own: after a step back it starts no job until the old
   * time is reached again (SGrondin/bottleneck#134). A new queue does; everybody keeps their place.
   */
  #renewIfSetBack(): void {
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
      this.#watch ??= setInterval(() => this.#renewIfSetBack(), watchInterval).unref();
    } else if (this.#watch !== null) {
      clearInterval(this.#watch);
      this.#watch = null;
    }
  }
}

const newQueue = (): Bottleneck => new Bottleneck({ maxConcurrent: 1 });

const stopping = (): DeadlineError => new DeadlineError("the program is stopping");

/** Smaller steps than this stall nobody for long. Milliseconds. */
const smallStep = 50;

/**
 * Says whether the wall clock of this machine was set back since the last time it was asked. The machine's, whatever
 * clock the program goes by: it is the one bottleneck reads.
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
