/** What a run of an incremental dataset has to read, as a table of cases. */
import { expect, it } from "vitest";
import { type Plan, planWindows, requestedBounds } from "../../../src/collecting/incremental/windows.ts";
import type { ReadProgress } from "../../../src/core/domain.ts";

const limits = { spanMs: 30 * 86_400_000, retentionMs: 90 * 86_400_000, pageSize: 100, overlapMs: 10 * 60_000 };

/** A run at this time has one minute, so the oldest it may ask for is two minutes younger than 90 days. */
const at = (text: string): number => Date.parse(`2026-${text}Z`);
const now = at("10-20T12:00");
const oldest = at("07-22T12:02");

interface Case {
  title: string;
  now?: number;
  last: { through: string; window?: [from: string, to: string, cursor: string | null] } | null;
  /** From and to, a cursor where the window is gone on with. */
  windows: [from: number | string, to: number | string, cursor?: string][];
  hole?: [from: number | string, to: number | string];
}

const step = limits.spanMs - 2;

const cases: Case[] = [
  {
    title: "the first run reads all that the exchange remembers, the oldest first, and names the time before",
    last: null,
    windows: [
      [oldest, oldest + step],
      [oldest + step, oldest + 2 * step],
      [oldest + 2 * step, now],
    ],
    hole: [0, oldest],
  },
  {
    title: "a later run overlaps by ten minutes",
    last: { through: "10-20T11:55" },
    windows: [["10-20T11:45", now]],
  },
  {
    title: "the first run of a day overlaps by three days",
    last: { through: "10-19T23:55" },
    windows: [["10-16T23:55", now]],
  },
  {
    title: "the last run of a day does not",
    now: at("10-20T23:59"),
    last: { through: "10-20T00:00" },
    windows: [["10-19T23:50", "10-20T23:59"]],
  },
  {
    title: "an aborted run continues after its last page, and overlaps its window",
    last: { through: "10-20T11:40", window: ["10-20T11:30", "10-20T11:50", "17"] },
    windows: [
      ["10-20T11:30", "10-20T11:50", "17"],
      ["10-20T11:40", now],
    ],
  },
  {
    title: "an aborted first run continues where it was, in windows of the maximum length",
    last: { through: "08-01T00:00", window: ["08-01T00:00", "08-30T23:59", null] },
    windows: [
      ["08-01T00:00", "08-30T23:59"],
      ["08-27T23:59", at("08-27T23:59") + step],
      [at("08-27T23:59") + step, now],
    ],
  },
  {
    title: "a machine that was off for longer than the exchange remembers leaves a hole",
    last: { through: "07-01T00:00" },
    windows: [
      [oldest, oldest + step],
      [oldest + step, oldest + 2 * step],
      [oldest + 2 * step, now],
    ],
    hole: ["07-01T00:00", oldest],
  },
  {
    title: "of a partly deleted window the rest is read, and its beginning is a hole",
    last: { through: "07-20T00:00", window: ["07-20T00:00", "10-20T11:50", "17"] },
    windows: [
      [oldest, "10-20T11:50", "17"],
      ["10-20T11:40", now],
    ],
    hole: ["07-20T00:00", oldest],
  },
  {
    title: "a deleted window is not requested",
    last: { through: "06-01T00:00", window: ["06-01T00:00", "06-30T23:59", "17"] },
    windows: [
      [oldest, oldest + step],
      [oldest + step, oldest + 2 * step],
      [oldest + 2 * step, now],
    ],
    hole: ["06-01T00:00", oldest],
  },
  {
    title: "with a clock before the watermark the overlap is read, and there is no hole",
    last: { through: "10-20T12:30" },
    windows: [["10-20T11:50", now]],
  },
];

it.each(cases)("$title", ({ now: time = now, last, windows, hole }) => {
  const instant = (one: number | string) => (typeof one === "string" ? at(one) : one);
  const reading: ReadProgress | null = last && {
    through: at(last.through),
    window: last.window ? { from: at(last.window[0]), to: at(last.window[1]), cursor: last.window[2] } : null,
    hole: null,
  };
  const expected: Plan = {
    hole: hole ? { from: instant(hole[0]), to: instant(hole[1]) } : null,
    windows: windows.map(([from, to, cursor = null]) => ({ from: instant(from), to: instant(to), cursor })),
  };
  expect(planWindows(reading, { now: time, until: time + 60_000 }, limits)).toEqual(expected);
});

it("never requests a window that is longer than the exchange allows, or older than its retention", () => {
  for (let days = 0; days < 200; days += 0.37) {
    const through = now - Math.round(days * 86_400_000);
    const { windows } = planWindows({ through, window: null, hole: null }, { now, until: now + 60_000 }, limits);
    const asked = windows.map(requestedBounds);
    expect(Math.max(...asked.map(({ from, to }) => to - from))).toBeLessThanOrEqual(limits.spanMs);
    expect(Math.min(...asked.map(({ from }) => from))).toBeGreaterThan(now + 60_000 - limits.retentionMs);
    // Without a stretch between two of them that neither asks for.
    expect(asked.slice(1).every(({ from }, index) => from <= (asked[index]?.to ?? 0))).toBe(true);
    expect(asked.at(-1)?.to).toBe(now + 1);
  }
});
