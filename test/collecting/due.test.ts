/** What is due and why a slot was not run, as a table: state of a series, what the program lived through, time, and the steps. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { downtimeBetween, nextStep, type Presence, type SeriesState, schedulesOf } from "../../src/collecting/due.ts";
import { graceAt, inSecond, type Pattern, parsePattern } from "../../src/core/cron.ts";

/** A time of 2026-03-01, or of the date before it; seconds may be left out. */
function at(time: string): number {
  const [clock = "", date = "2026-03-01"] = time.split(" ").reverse();
  return Date.parse(`${date}T${clock.length === 5 ? `${clock}:00` : clock}Z`);
}

const span = (from: string, to: string) => ({ from: at(from), to: at(to) });
const cron = (text: string | null): Pattern | null => (text === null ? null : parsePattern(text));

interface Given {
  /** The schedule in force; `wanted` is the same unless given. */
  inForce?: string | null;
  wanted?: string | null;
  timezone?: string;
  since?: string;
  processed?: string;
  lastSlot?: string;
  lastRun?: [string, string];
  started?: string;
  effective?: string;
  behindMs?: number;
  unconfirmed?: [string, string];
  downtimes?: [from: string, to: string, cause: string][];
}

function seriesOf({ inForce = "* * * * *", wanted = inForce, timezone, ...given }: Given): SeriesState {
  const { since = "11:00", processed = "12:00", lastSlot, lastRun = ["12:00", "12:00"] } = given;
  const pattern = timezone && inForce ? parsePattern(inForce, timezone) : cron(inForce);
  return {
    inForce: pattern,
    wanted: timezone ? pattern : cron(wanted),
    since: at(since),
    processedThrough: at(processed),
    lastSlot: lastSlot === undefined ? Number.NaN : at(lastSlot),
    lastRun: span(...lastRun),
  };
}

function presenceOf({ started = "11:30", effective = started, behindMs = 0, ...given }: Given): Presence {
  const { unconfirmed = ["00:00", "00:00"], downtimes = [] } = given;
  return {
    startedAt: at(started),
    effectiveAt: at(effective),
    behindMs,
    unconfirmed: span(...unconfirmed),
    downtimes: downtimes.map(([from, to, cause]) => ({ ...span(from, to), cause })),
  };
}

const timeOf = (instant: number): string =>
  new Date(instant)
    .toISOString()
    .replace("2026-03-01T", "")
    .replace(/(:00)?\.000Z$/, "")
    .replace("T", " ");

/** Takes every step at one instant, as the scheduler does, and returns their texts; many closed slots as first and last. */
function stepsAt(now: string, given: Given): string[] {
  const series = seriesOf(given);
  const presence = presenceOf(given);
  const steps: string[] = [];
  for (let step = nextStep(series, presence, at(now)); step; step = nextStep(series, presence, at(now))) {
    if (step.kind === "run") {
      steps.push(`run ${timeOf(step.slot)}`);
      series.lastSlot = step.slot;
      series.processedThrough = Math.max(series.processedThrough, step.slot);
    } else if (step.kind === "schedule") {
      steps.push(`schedule ${step.pattern?.text ?? "none"} from ${timeOf(step.from)}`);
      series.inForce = step.pattern;
      series.since = series.processedThrough = step.from;
    } else {
      for (const { slot, state, cause } of step.slots) steps.push(`${timeOf(slot)} ${state}: ${cause}`);
      series.processedThrough = step.slots.at(-1)?.slot ?? Number.NaN;
    }
  }
  return steps;
}

type Case = [what: string, now: string, given: Given, steps: string[]];

const asleep = "asleep or clock set forward";

describe("a slot", () => {
  it.each<Case>([
    ["is not due before its time", "12:00:59", {}, []],
    ["is due at its time", "12:01", {}, ["run 12:01"]],
    ["is due once", "12:01:30", { processed: "12:01", lastSlot: "12:01" }, []],
    ["is due again where it could not be written", "12:01:01", { processed: "12:00" }, ["run 12:01"]],
    ["may be late by half its period", "12:01:30", {}, ["run 12:01"]],
    ["is recorded as missed when it is later than that", "12:01:31", {}, ["12:01 missed: too late"]],
    [
      "of a daily schedule may be late by five minutes",
      "12:05",
      { inForce: "0 12 * * *", processed: "2026-02-28 12:00" },
      ["run 12:00"],
    ],
    [
      "of a daily schedule is closed after five minutes",
      "12:05:01",
      { inForce: "0 12 * * *", processed: "2026-02-28 12:00" },
      ["12:00 missed: too late"],
    ],
    [
      "is due while those before it are closed first",
      "12:03",
      { started: "12:02:30" },
      ["12:01 missed: not running", "12:02 missed: not running", "run 12:03"],
    ],
    ["of the instant in which its schedule began is not due", "12:01", { since: "12:01", processed: "12:01" }, []],
    [
      "is due again when the clock was set back, for its row may say that it was missed",
      "12:01",
      { processed: "12:03", lastSlot: "12:03" },
      ["run 12:01"],
    ],
    ["without a schedule is never due", "12:01", { inForce: null }, []],
  ])("%s", (_, now, given, steps) => {
    expect(stepsAt(now, given)).toEqual(steps);
  });
});

describe("a slot that was not run", () => {
  it.each<Case>([
    ["passed before the program started", "12:01:40", { started: "12:01:35" }, ["12:01 missed: not running"]],
    [
      "passed while the machine slept",
      "12:01:40",
      { downtimes: [["12:00:30", "12:01:40", asleep]] },
      [`12:01 missed: ${asleep}`],
    ],
    ["passed during the run before it", "12:01:40", { lastRun: ["12:00", "12:01:20"] }, ["12:01 skipped: overlap"]],
    ["passed at the very end of that run", "12:01:40", { lastRun: ["12:00", "12:01"] }, ["12:01 skipped: overlap"]],
    [
      "passed behind a run and a sleep, is skipped: the run explains more",
      "12:01:40",
      { lastRun: ["12:00", "12:01:20"], downtimes: [["12:00:30", "12:01:40", asleep]] },
      ["12:01 skipped: overlap"],
    ],
    [
      "passed while the clock was not confirmed, whatever came between",
      "12:01:40",
      { unconfirmed: ["12:00:40", "12:01:40"], downtimes: [["12:00:30", "12:01:40", "blocked"]] },
      ["12:01 missed: clock not confirmed"],
    ],
    [
      "has the cause of the span that it lies in, the newest where two overlap",
      "12:04:40",
      {
        downtimes: [
          ["12:02:30", "12:04:40", "storage"],
          ["12:00:30", "12:03:10", asleep],
        ],
      },
      [`12:01 missed: ${asleep}`, `12:02 missed: ${asleep}`, "12:03 missed: storage", "12:04 missed: storage"],
    ],
    [
      "lies in a span that ends with it, not in one that begins with it",
      "12:02:40",
      {
        downtimes: [
          ["12:01", "12:02", asleep],
          ["12:00", "12:01", "blocked"],
        ],
      },
      ["12:01 missed: blocked", `12:02 missed: ${asleep}`],
    ],
    [
      "during a sleep has that cause, and a slot after it that of the unconfirmed clock",
      "12:05",
      { unconfirmed: ["12:03:50", "12:05"], downtimes: [["12:01:00", "12:03:50", asleep]] },
      [
        "12:01 missed: too late",
        `12:02 missed: ${asleep}`,
        `12:03 missed: ${asleep}`,
        "12:04 missed: clock not confirmed",
        "run 12:05",
      ],
    ],
  ])("%s", (_, now, given, steps) => {
    expect(stepsAt(now, given)).toEqual(steps);
  });

  it("is closed with at most 499 others at once, so that a year away does not hold up the database", () => {
    const series = seriesOf({ inForce: "* * * * * *" });
    const sizes: number[] = [];
    for (;;) {
      const step = nextStep(series, presenceOf({ started: "12:20" }), at("12:20:01"));
      if (step?.kind !== "close") break;
      sizes.push(step.slots.length);
      series.processedThrough = step.slots.at(-1)?.slot ?? Number.NaN;
    }
    expect(sizes).toEqual([500, 500, 200]);
  });
});

describe("a schedule", () => {
  it.each<Case>([
    [
      "that is new begins with the program",
      "12:01",
      { inForce: null, wanted: "* * * * *", started: "12:00:30" },
      ["schedule * * * * * from 12:00:30", "run 12:01"],
    ],
    [
      "that is new begins with the first confirmation of the clock where that came later",
      "12:05:01",
      { inForce: null, wanted: "* * * * *", started: "12:00:30", effective: "12:04:20" },
      ["schedule * * * * * from 12:04:20", "run 12:05"],
    ],
    [
      "that is new begins by the exchange's clock where ours is behind",
      "12:01",
      { inForce: null, wanted: "* * * * *", started: "12:00:30", behindMs: 240_000 },
      ["schedule * * * * * from 12:04:30"],
    ],
    [
      "that changed is in force from the start on; the old one's slots until then are closed first",
      "12:10",
      { wanted: "*/10 * * * *", started: "12:02:45" },
      ["12:01 missed: not running", "12:02 missed: not running", "schedule */10 * * * * from 12:02:45", "run 12:10"],
    ],
    [
      "that changed does not depend on the exchange's clock: the old one was in force until now",
      "12:02",
      { wanted: "*/10 * * * *", started: "12:01:30", behindMs: 240_000 },
      ["12:01 missed: not running", "schedule */10 * * * * from 12:01:30"],
    ],
    [
      "that was switched off is closed up to the start, and then is none",
      "12:05",
      { wanted: null, started: "12:01:10" },
      ["12:01 missed: not running", "schedule none from 12:01:10"],
    ],
    [
      "first recorded by a clock years ahead begins again",
      "12:00:30",
      { since: "2030-01-01 00:00", processed: "2030-01-01 00:00" },
      ["schedule * * * * * from 12:00:30"],
    ],
    [
      "first recorded by the exchange's clock does not begin again while ours is behind",
      "12:00:30",
      { since: "12:04:30", processed: "12:04:30", behindMs: 240_000 },
      [],
    ],
    [
      "first recorded by the exchange's clock begins again where ours is behind by more than that",
      "11:58:30",
      { since: "12:04:30", processed: "12:04:30", behindMs: 240_000 },
      ["schedule * * * * * from 11:58:30"],
    ],
  ])("%s", (_, now, given, steps) => {
    expect(stepsAt(now, given)).toEqual(steps);
  });

  // New York sets its clocks forward at 07:00Z on 2026-03-08 and back at 06:00Z on 2026-11-01.
  const newYork = { timezone: "America/New_York", started: "2026-01-01 00:00", since: "2026-01-01 00:00" };

  it.each<Case>([
    [
      "of an hour that a day leaves out has its slot where the next one begins",
      "2026-03-09 07:00",
      { ...newYork, inForce: "30 2 * * *", processed: "2026-03-07 07:30" },
      ["2026-03-08 07:00 missed: too late", "2026-03-09 06:30 missed: too late"],
    ],
    [
      "of an hour that a day has twice has one slot in it",
      "2026-11-02 07:00",
      { ...newYork, inForce: "30 1 * * *", processed: "2026-10-31 05:30" },
      ["2026-11-01 05:30 missed: too late", "2026-11-02 06:30 missed: too late"],
    ],
    [
      "of every hour has one in each hour that passes, also in that night",
      "2026-11-01 08:00",
      { ...newYork, inForce: "30 * * * *", processed: "2026-11-01 04:30" },
      ["2026-11-01 05:30", "2026-11-01 06:30", "2026-11-01 07:30"].map((slot) => `${slot} missed: too late`),
    ],
  ])("%s", (_, now, given, steps) => {
    expect(stepsAt(now, given)).toEqual(steps);
  });
});

describe("between two readings of the clock", () => {
  it.each([
    ["two seconds do not count as downtime", 2000, 2000, null],
    ["more than that, measured by both clocks, means that the program was blocked", 2001, 2001, "blocked"],
    ["an advance of the wall clock alone means a sleep or a step", 60_000, 1000, asleep],
    ["if more than half of it passed by the monotonic clock, the program was blocked", 60_000, 30_001, "blocked"],
    ["a clock that was set back does not count as downtime", -60_000, 1000, null],
  ])("%s", (_, wall, monotonic, cause) => {
    const before = { wall: at("12:00"), monotonic: 5000 };
    const found = downtimeBetween(before, { wall: before.wall + wall, monotonic: before.monotonic + monotonic });
    expect(found).toEqual(cause && { from: before.wall, to: before.wall + wall, cause });
  });
});

/** A slot at 12:00, to be moved to 12:00:20 within its minute or back. */
describe("a schedule that is moved within the minute", () => {
  const there = { inForce: "*/5 * * * *", wanted: "20 */5 * * * *" };
  const back = { inForce: there.wanted, wanted: there.inForce };

  it.each<Case>([
    ["changes between two slots", "12:04", { ...there, started: "12:04" }, ["schedule 20 */5 * * * * from 12:00:20"]],
    [
      "leaves a slot that is due by the old schedule to its new place",
      "12:05:19",
      { ...there, started: "12:05:10" },
      ["schedule 20 */5 * * * * from 12:00:20"],
    ],
    [
      "stays in force after a slot was run, until its new place is past",
      "12:05:19",
      { ...there, processed: "12:05", lastSlot: "12:05" },
      [],
    ],
    [
      "does not run that slot again",
      "12:05:20",
      { ...there, processed: "12:05", lastSlot: "12:05" },
      ["schedule 20 */5 * * * * from 12:05:20"],
    ],
    [
      "closes what is too late, as after any restart",
      "12:13",
      { ...there, started: "12:13" },
      ["12:05 missed: not running", "12:10 missed: not running", "schedule 20 */5 * * * * from 12:10:20"],
    ],
    [
      "moves back with the next slot",
      "12:05",
      { ...back, processed: "12:00:20" },
      ["schedule */5 * * * * from 12:00:20", "run 12:05"],
    ],
    [
      "moves back after a slot for which that is too late",
      "12:01:10",
      { inForce: "50 * * * * *", wanted: "* * * * *", processed: "11:59:50", lastSlot: "11:59:50" },
      ["run 12:00:50", "schedule * * * * * from 12:00:50", "run 12:01"],
    ],
    [
      "does not count as moved with other minutes",
      "12:04",
      { ...there, wanted: "20 */4 * * * *", started: "12:04" },
      ["schedule 20 */4 * * * * from 12:04"],
    ],
  ])("%s", (_what, now, given, steps) => {
    expect(stepsAt(now, given)).toEqual(steps);
  });

  it("has one row for each minute that was due, whenever the program stops and starts", () => {
    const second = fc.option(fc.integer({ min: 0, max: 59 }), { nil: null });
    const minutes = fc.constantFrom("* * * * *", "*/5 * * * *", "7,9 * * * *", "0 * * * *");
    const seconds = fc.integer({ min: 0, max: 700 });
    fc.assert(
      fc.property(minutes, second, second, seconds, seconds, (text, from, to, ran, stopped) => {
        const usual = parsePattern(text);
        const [inForce, wanted] = [from, to].map((one) => (one === null ? usual : inSecond(usual, one)));
        const begin = at("12:00:30");
        const end = begin + ran * 1000;
        const start = end + stopped * 1000;
        const rows: number[] = [];
        for (let slot = inForce?.next(begin) ?? end; slot <= end; slot = inForce?.next(slot) ?? end) rows.push(slot);
        const series = { ...seriesOf({}), inForce: inForce ?? null, wanted: wanted ?? null, since: begin };
        series.processedThrough = rows.at(-1) ?? begin;
        const presence = presenceOf({ started: timeOf(start) });
        for (let now = start; now <= start + 70 * 60_000; now += 5000)
          for (let step = nextStep(series, presence, now); step; step = nextStep(series, presence, now)) {
            if (step.kind === "schedule") {
              series.inForce = step.pattern;
              series.since = series.processedThrough = step.from;
            } else if (step.kind === "close") {
              rows.push(...step.slots.map(({ slot }) => slot));
              series.processedThrough = step.slots.at(-1)?.slot ?? Number.NaN;
            } else {
              // A slot that was run before the stop has its row.
              if (!rows.includes(step.slot)) rows.push(step.slot);
              series.lastSlot = step.slot;
              series.processedThrough = Math.max(series.processedThrough, step.slot);
            }
          }
        const due: number[] = [];
        const minuteOf = (slot: number) => Math.floor(slot / 60_000);
        const [first = 0, last = 0] = [rows[0], rows.at(-1)];
        for (let slot = usual.latest(first); slot <= last; slot = usual.next(slot)) due.push(minuteOf(slot));
        expect(rows.map(minuteOf)).toEqual(due);
        expect(series.inForce?.text).toBe(wanted?.text);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a phase", () => {
  const patterns = {
    positions: cron("*/5 * * * *"),
    prices: cron("*/5 * * * *"),
    bills: cron("0 30 * * * *"),
    equity: null,
  };
  const textsOf = (hasPhases: boolean, name: string) => {
    const scheduleOf = schedulesOf(patterns, { hasPhases });
    return Object.keys(patterns).map((dataset) => scheduleOf(name, dataset)?.text ?? null);
  };

  it("is the second that follows from an account's name, for patterns without seconds", () => {
    expect(textsOf(true, "main")).toEqual(["45 */5 * * * *", "45 */5 * * * *", "0 30 * * * *", null]);
    expect(textsOf(true, "hedge")[0]).toBe("21 */5 * * * *");
    expect(textsOf(false, "main")[0]).toBe("*/5 * * * *");
    expect(textsOf(true, "public")[0]).toBe("*/5 * * * *");
  });

  it("spreads two thousand accounts over the minute", () => {
    const scheduleOf = schedulesOf(patterns, { hasPhases: true });
    const counts = new Array<number>(60).fill(0);
    for (let number = 0; number < 2000; number += 1) {
      const { second = 0 } = scheduleOf(`sub${number}`, "positions") ?? {};
      counts[second] = (counts[second] ?? 0) + 1;
    }
    expect(Math.max(...counts)).toBeLessThan(60);
    expect(Math.min(...counts)).toBeGreaterThan(10);
  });
});

describe("whatever happens to the clock", () => {
  const seconds = (max: number) => fc.integer({ min: 1, max });
  /** Seconds that the program runs or sleeps, or that its clock is set back by. */
  const event = fc.oneof(
    fc.record({ kind: fc.constant("runs" as const), by: seconds(90) }),
    fc.record({ kind: fc.constant("sleeps" as const), by: seconds(900) }),
    fc.record({ kind: fc.constant("steps back" as const), by: seconds(600) }),
  );
  const patterns = fc.constantFrom("* * * * *", "*/5 * * * *", "*/20 * * * * *", "7,9 * * * *");

  it("every slot up to the last reading has one row, and none is run before its time or too late", () => {
    fc.assert(
      fc.property(patterns, fc.array(event, { maxLength: 60 }), (text, events) => {
        const pattern = parsePattern(text);
        const begin = at("12:00:30");
        const series = { ...seriesOf({ inForce: text }), since: begin, processedThrough: begin };
        const rows = new Map<number, string>();
        let presence = presenceOf({ started: "12:00:30" });
        let before = { wall: begin, monotonic: 0 };
        let latest = begin;
        for (const { kind, by } of events) {
          // Set to before its beginning, a schedule begins again: that case is in the table.
          const wall = Math.max(begin, before.wall + (kind === "steps back" ? -by : by) * 1000);
          const now = { wall, monotonic: before.monotonic + (kind === "runs" ? by * 1000 : 1000) };
          const downtime = downtimeBetween(before, now);
          if (downtime) presence = { ...presence, downtimes: [downtime, ...presence.downtimes] };
          before = now;
          latest = Math.max(latest, wall);
          for (let step = nextStep(series, presence, wall); step; step = nextStep(series, presence, wall)) {
            if (step.kind === "schedule") throw new Error("the schedule did not change");
            if (step.kind === "run") {
              const { slot } = step;
              expect(wall - slot).toBeGreaterThanOrEqual(0);
              expect(wall - slot).toBeLessThanOrEqual(graceAt(pattern, slot));
              series.lastSlot = slot;
              series.processedThrough = Math.max(series.processedThrough, slot);
              // As the store claims a slot: a `missed` row may become a run.
              if (rows.get(slot) !== "run") rows.set(slot, "run");
            } else {
              for (const { slot, state } of step.slots) {
                expect(rows.has(slot)).toBe(false);
                rows.set(slot, state);
              }
              series.processedThrough = step.slots.at(-1)?.slot ?? Number.NaN;
            }
          }
        }
        const due: number[] = [];
        for (let slot = pattern.next(begin); slot <= latest; slot = pattern.next(slot)) due.push(slot);
        expect([...rows.keys()].sort((a, b) => a - b)).toEqual(due);
      }),
      { numRuns: 200 },
    );
  });
});
