/** The exchange's rate limits, exact over every sliding window of its own time. */
import type { Clock } from "../core/clock.ts";
import { minuteMs } from "../core/time.ts";

const second = 1000;
const perMinute = 6000;
const penalty = 5 * minuteMs;

interface Window {
  /** False where `limit` requests were let in less than a window ago; such a request is not counted. */
  admit(now: number): boolean;
  /** How many more would be let in at this instant. */
  left(now: number): number;
}

function slidingWindow(limit: number, length: number): Window {
  const times = new Array<number>(limit).fill(Number.NEGATIVE_INFINITY);
  let oldest = 0;
  return {
    admit(now) {
      if ((times[oldest] ?? 0) > now - length) return false;
      times[oldest] = now;
      oldest = (oldest + 1) % limit;
      return true;
    },
    left: (now) => times.filter((time) => time <= now - length).length,
  };
}

export interface Limits {
  /** One request from an internet address, whatever it asks: 6000 a minute, and five minutes of nothing after one more. */
  countAddress(address: string): boolean;
  /** One request of `who` to a path. How many more it may send at this instant, or null where this one was too many. */
  countEndpoint(who: string, path: string, perSecond: number): number | null;
}

export function createLimits(clock: Clock): Limits {
  const addresses = new Map<string, { window: Window; shutUntil: number }>();
  const paths = new Map<string, Window>();
  return {
    countAddress(address) {
      const now = clock.monotonic();
      const known = addresses.get(address) ?? { window: slidingWindow(perMinute, minuteMs), shutUntil: 0 };
      addresses.set(address, known);
      if (now < known.shutUntil) return false;
      if (known.window.admit(now)) return true;
      known.shutUntil = now + penalty;
      return false;
    },
    countEndpoint(who, path, perSecond) {
      const now = clock.monotonic();
      const name = `${who} ${path}`;
      const length = perSecond < 1 ? second / perSecond : second;
      const window = paths.get(name) ?? slidingWindow(Math.max(1, perSecond), length);
      paths.set(name, window);
      return window.admit(now) ? window.left(now) : null;
    },
  };
}
