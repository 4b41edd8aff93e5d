/** Plans the events of a simulation; all of them follow from the seed. */
import { type Random, random } from "../../src/simulator/market/random.ts";

export const minute = 60_000;
export const hour = 60 * minute;
const day = 24 * hour;

/** A week before New York's clocks go forward; they go back on 1 November and forward again a year later. */
export const simulationStart = Date.UTC(2026, 2, 1, 0, 10);

export const timezone = "America/New_York";

/**
 * When a process is killed: between two slots; before the exchange responds; when the rows are written and the transaction
 * is not committed; right after the commit; or while the next start recovers from such a kill.
 */
export const moments = ["between", "asked", "unwritten", "written", "opening"] as const;
export type KillMoment = (typeof moments)[number];

export type Event =
  | { kind: "kill"; moment: KillMoment; downMs: number }
  | { kind: "sleep"; ms: number }
  /** The clock is wrong by `ms` for `halfHours` half hours. */
  | { kind: "step"; ms: number; halfHours: number }
  | { kind: "schedule"; regime: number; downMs: number }
  | { kind: "upgrade" };

export interface Plan {
  seed: number;
  /** Epoch ms. */
  ended: number;
  /** In order; an event that is due during another one follows it. */
  events: readonly { at: number; event: Event }[];
  /** From and to, epoch ms: the exchange fails some or all requests. */
  storms: readonly [number, number][];
}

export function planOf(seed: number, days: number): Plan {
  const chance = random(seed);
  const ended = simulationStart + days * day - 3 * hour;
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
  // Schedule changes keep their order; everything else is shuffled.
  const hours = days * 24 - 24;
  const times = events.map(() => simulationStart + 12 * hour + chance.integer(0, hours) * hour);
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
  placed.push({ at: simulationStart + Math.floor(days * 0.45) * day + 7 * hour, event: { kind: "upgrade" } });
  const storms = Array.from({ length: share(24) }, (): [number, number] => {
    const from = simulationStart + day + chance.integer(0, hours) * hour;
    return [from, from + chance.integer(3, 24) * hour];
  });
  return { seed, ended, events: placed.sort((a, b) => a.at - b.at), storms };
}

/** Mostly minutes, sometimes hours; always longer than the exchange's rate-limit window. */
const downtime = (chance: Random): number =>
  chance.integer(0, 9) < 7 ? chance.integer(5, 20 * 60) * 1000 : chance.integer(20, 9 * 60) * minute;

/** From one minute to three days, spread over all magnitudes. */
function sleepMs(chance: Random, n: number): number {
  if (n === 1) return 3 * day;
  return n === 0 ? minute : Math.round(minute * 4320 ** (chance.integer(0, 1000) / 1000));
}

/** Small steps are corrected for; after large ones either clock may be wrong. */
function stepOf(chance: Random): Event {
  const size = chance.pick([3, 20, 45, 240, 590, 900, 3600, 3 * 3600]) * 1000;
  return { kind: "step", ms: chance.pick([-1, 1]) * size, halfHours: chance.integer(2, 9) };
}

/** Lies within one local day, so that no slot of a day comes again after its report was written. */
const toForenoon = (at: number): number => Math.floor(at / day) * day + 11 * hour;
