/** How many may do something at the same time; the others wait in line. */
import { HTTPException } from "hono/http-exception";

export interface Gate {
  /**
   * Resolves with the function that makes room again.
   * @throws HTTPException 503 where the line is too long, or nobody made room in time
   */
  enter(): Promise<() => void>;
}

const busy = (): HTTPException =>
  new HTTPException(503, { message: "Too many pages are asked for at the same time; try again in a moment." });

/** `atOnce` may be inside, `inLine` wait, each for at most `waitMs`. */
export function createGate(atOnce: number, inLine: number, waitMs: number): Gate {
  let inside = 0;
  const line: (() => void)[] = [];

  function leave(): void {
    inside -= 1;
    line.shift()?.();
  }

  function admit(): () => void {
    inside += 1;
    let left = false;
    return () => {
      if (!left) leave();
      left = true;
    };
  }

  return {
    async enter() {
      if (inside < atOnce) return admit();
      if (line.length >= inLine) throw busy();
      return new Promise((resolve, reject) => {
        const proceed = () => {
          clearTimeout(late);
          resolve(admit());
        };
        const late = setTimeout(() => {
          line.splice(line.indexOf(proceed), 1);
          reject(busy());
        }, waitMs);
        line.push(proceed);
      });
    },
  };
}
