/** How many may do something at the same time; the others wait in line. */
import { HTTPException } from "hono/http-exception";

export interface Semaphore {
  /**
   * Resolves with the function that makes room again.
   * @throws HTTPException 503 where the line is too long, or nobody made room in time
   */
  acquire(): Promise<() => void>;
}

const tooManyRequests = (): HTTPException =>
  new HTTPException(503, { message: "Too many pages are asked for at the same time; try again in a moment." });

/** `atOnce` may be inside, `inLine` wait, each for at most `waitMs`. */
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
