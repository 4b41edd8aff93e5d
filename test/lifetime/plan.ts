/** What will happen in a life, and when: all of it follows from the seed. */
import { type Random, random } from "../../src/simulator/market/random.ts";

export const minute = 60_000;
export const hour = 60 * minute;
const day = 24 * hour;

/** A week before New York's clocks go forward; they go back on the first of November, and forward again a year later. */
export const began = Date.UTC(2026, 2, 1, 0, 10);

export const timezone = "America/New_York";

/**
 * When a process is killed: between two slots; while the exchange has yet to answer; when the rows are written and the
 * transaction is not ended; right after it is; or while the next start tidies up after such an end.
 */
export const moments = ["between", "asked", "unwritten", "written", "opening"] as const;
export type Moment = (typeof moments)[number];

export type Event =
  | { kind: "kill"; moment: Moment; downMs: number }
  | { kind: "sleep"; ms: number }
  /** The clock is wrong by so much, for so many half hours. */
  | { kind: "step"; ms: number; halfHours: number }
  | { kind: "schedule"; regime: number; downMs: number }
  | { kind: "upgrade" };

export interface Plan {
  seed: number;
  /** Epoch ms. */
  ended: number;
  /** In order; where one is over only after the next should have begun, that one comes late. */
  events: readonly { at: number; event: Event }[];
  /** From and to. The exchange refuses some or all of what it is asked. */
  storms: readonly [number, number][];
}

export function planOf(seed: number, days: number): Plan {
  const chance = random(seed);
  const ended = began + days * day - 3 * hour;
  const share = (of400: number) => Math.ceil((of400 * days) / 400);
  const some = (count: number, make: (index: number) => Event): Event[] =>
    Array.from({ length: count }, (_, n) => make(n));
  const events = [
    ...some(share(200), (n) => ({
      kind: "kill",
      moment: moments[n % moments.length] ?? "between",
      downMs: downtime(chance),
    })),
    ...some(share(30), (n) => ({ kind: "sleep", ms: sleepMs(chance, n) })),
    ...some(share(24), () => stepOf(chance)),
    ...some(share(16), (n) => ({ kind: "schedule", regime: [1, 0, 2, 0][n % 4] ?? 0, downMs: downtime(chance) })),
  ];
  // The schedule changes in its order, everything else at any time.
  const hours = days * 24 - 24;
  const times = events.map(() => began + 12 * hour + chance.integer(0, hours) * hour);
  const ofSchedules = times.filter((_, at) => events[at]?.kind === "schedule").sort((a, b) => a - b);
  const placed = events.map((event, at) => ({
    at:
      event.kind === "schedule"
        ? (ofSchedules.shift() ?? 0)
        : event.kind === "step"
          ? toForenoon(times[at] ?? 0)
          : (times[at] ?? 0),
    event,
  }));
  placed.push({ at: began + Math.floor(days * 0.45) * day + 7 * hour, event: { kind: "upgrade" } });
  const storms = Array.from({ length: share(24) }, (): [number, number] => {
    const from = began + day + chance.integer(0, hours) * hour;
    return [from, from + chance.integer(3, 24) * hour];
  });
  return { seed, ended, events: placed.sort((a, b) => a.at - b.at), storms };
}

/** Mostly minutes, sometimes hours. Never so short that the exchange still counts the requests before it. */
const downtime = (chance: Random): number =>
  chance.integer(0, 9) < 7 ? chance.integer(5, 20 * 60) * 1000 : chance.integer(20, 9 * 60) * minute;

/** From one minute to three days; both of them, and all sizes in between. */
function sleepMs(chance: Random, n: number): number {
  if (n === 1) return 3 * day;
  return n === 0 ? minute : Math.round(minute * 4320 ** (chance.integer(0, 1000) / 1000));
}

/** Small ones are corrected for; of large ones nobody can say which of the two clocks is wrong. */
function stepOf(chance: Random): Event {
  const size = chance.pick([3, 20, 45, 240, 590, 900, 3600, 3 * 3600]) * 1000;
  return { kind: "step", ms: chance.pick([-1, 1]) * size, halfHours: chance.integer(2, 9) };
}

/** Between two ends of local days, so that no slot of a day comes twice after its report was written. */
const toForenoon = (at: number): number => Math.floor(at / day) * day + 11 * hour;
