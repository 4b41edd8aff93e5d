/** Enforces the exchange's rate limits, exact over every sliding window of its own time. */
import type { Clock } from "../core/clock.ts";
import { minuteMs } from "../core/time.ts";

const second = 1000;
const perMinute = 6000;
const banMs = 5 * minuteMs;

interface Window {
  /** Counts a request, or returns false without counting it if the window already has `limit` requests. */
  admit(now: number): boolean;
  /** Returns how many more requests would be admitted at this instant. */
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
  /** Counts a request from an IP address; returns false above 6000 a minute, and for five minutes after that. */
  countAddress(address: string): boolean;
  /** Counts a request to a path; returns how many more the owner may send at this instant, or null if this one was too many. */
  countEndpoint(owner: string, path: string, perSecond: number): number | null;
}

export function createLimits(clock: Clock): Limits {
  const addresses = new Map<string, { window: Window; bannedUntil: number }>();
  const paths = new Map<string, Window>();
  return {
    countAddress(address) {
      const now = clock.monotonic();
      const known = addresses.get(address) ?? { window: slidingWindow(perMinute, minuteMs), bannedUntil: 0 };
      addresses.set(address, known);
      if (now < known.bannedUntil) return false;
      if (known.window.admit(now)) return true;
      known.bannedUntil = now + banMs;
      return false;
    },
    countEndpoint(owner, path, perSecond) {
      const now = clock.monotonic();
      const name = `${owner} ${path}`;
      const length = perSecond < 1 ? second / perSecond : second;
      const window = paths.get(name) ?? slidingWindow(Math.max(1, perSecond), length);
      paths.set(name, window);
      return window.admit(now) ? window.left(now) : null;
    },
  };
}
