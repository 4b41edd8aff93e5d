/** A semaphore with a bounded queue and a timeout. */
import { HTTPException } from "hono/http-exception";

/** Limits the number of concurrent users. */
export interface Semaphore {
  /**
   * Resolves with a function that releases the semaphore.
   * @throws HTTPException 503 if the queue is full, or if the wait times out
   */
  acquire(): Promise<() => void>;
}

const tooManyRequests = (): HTTPException =>
  new HTTPException(503, { message: "Too many requests at the same time; try again in a moment." });

/** Returns a semaphore for `maxActive` users; up to `maxQueued` more wait, each for at most `waitMs` milliseconds. */
export function createSemaphore(maxActive: number, maxQueued: number, waitMs: number): Semaphore {
  let active = 0;
  const queue: (() => void)[] = [];

  function release(): void {
    active -= 1;
    queue.shift()?.();
  }

  function admit(): () => void {
    active += 1;
    let released = false;
    return () => {
      if (!released) release();
      released = true;
    };
  }

  return {
    async acquire() {
      if (active < maxActive) return admit();
      if (queue.length >= maxQueued) throw tooManyRequests();
      return new Promise((resolve, reject) => {
        const proceed = () => {
          clearTimeout(timeout);
          resolve(admit());
        };
        const timeout = setTimeout(() => {
          queue.splice(queue.indexOf(proceed), 1);
          reject(tooManyRequests());
        }, waitMs);
        queue.push(proceed);
      });
    },
  };
}
