import { Cron } from "croner";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { graceAt, parsePattern, periodAt, slotsAfter } from "../../src/core/cron.ts";

const at = (text: string): number => Date.parse(text);

describe("a pattern", () => {
  const everyFive = parsePattern("*/5 * * * *");

  it("gives the slot after an instant, never the instant itself", () => {
    expect(everyFive.next(at("2026-03-01T00:05:00Z"))).toBe(at("2026-03-01T00:10:00Z"));
    expect(everyFive.next(at("2026-03-01T00:04:59.999Z"))).toBe(at("2026-03-01T00:05:00Z"));
  });

  it("gives the slot at or before an instant", () => {
    expect(everyFive.latest(at("2026-03-01T00:05:00Z"))).toBe(at("2026-03-01T00:05:00Z"));
    expect(everyFive.latest(at("2026-03-01T00:04:59.999Z"))).toBe(at("2026-03-01T00:00:00Z"));
  });

  it("may have seconds", () => {
    expect(parsePattern("*/10 * * * * *").next(at("2026-03-01T00:00:00Z"))).toBe(at("2026-03-01T00:00:10Z"));
  });

  it("is read in UTC, regardless of the machine's time zone", () => {
    const hourly = parsePattern("0 * * * *");
    const slots: number[] = [];
    // Around the autumn change in New York (2026-11-01T06:00Z) and the spring change (2026-03-08T07:00Z).
    for (const day of ["2026-11-01T00:00:00Z", "2026-03-08T00:00:00Z"]) {
      let slot = at(day);
      for (let hour = 0; hour < 24; hour += 1) {
        slot = hourly.next(slot);
        slots.push(slot);
      }
    }
    expect(slots).toHaveLength(48);
    expect(slots.every((slot, n) => n % 24 === 0 || slot - (slots[n - 1] ?? 0) === 3_600_000)).toBe(true);
  });

  it.each([
    ["* * * *", "has 4 fields"],
    ["* * * * * * *", "has 7 fields"],
    ["*/70 * * * *", "steps cannot be greater"],
    ["5-1 * * * *", "larger than"],
    ["60 * * * *", "Invalid value for minute"],
    ["*/0 * * * *", "stepping"],
    ["0 0 31 2 *", "never comes"],
    ["0 0 13 * 5", "both a day of the month and a day of the week"],
    ["@daily", "has 1 fields"],
    ["0 0 L * *", "not a number, list, range or step"],
    ["1,, * * * *", "not a number, list, range or step"],
    ["", "has 1 fields"],
  ])("rejects %j with an explanation", (text, sentence) => {
    expect(() => parsePattern(text)).toThrow(sentence);
  });
});

it.each([9e15, Number.NaN, 8.64e15, Date.UTC(9999, 5)])(
  "has no slots after the end of the calendar (%d)",
  (instant) => {
    for (const text of ["* * * * *", "0 0 * * *", "0 0 1 * *"])
      expect([...slotsAfter(parsePattern(text), instant)]).toEqual([]);
  },
);

it("has a grace of half the period, at most five minutes", () => {
  const slot = at("2026-03-01T00:00:00Z");
  const grace = ["* * * * * *", "* * * * *", "*/5 * * * *", "0 * * * *"].map((text) =>
    graceAt(parsePattern(text), slot),
  );
  expect(grace).toEqual([500, 30_000, 150_000, 300_000]);
  expect(periodAt(parsePattern("0 0 * * *"), slot)).toBe(86_400_000);
});

it.each([
  "*/5 * * * *",
  "* * * * * *",
  "7 3 * * *",
  "*/7 2-5,9 * * *",
  "30 */13 1,22 * * *",
  "59 59 23 * * *",
  "0 0 1 * *",
])("%s: computed slots equal those of croner", (text) => {
  const pattern = parsePattern(text);
  const cron = new Cron(text, { timezone: "UTC", paused: true });
  fc.assert(
    fc.property(fc.integer({ min: at("2000-01-01"), max: at("2060-01-01") }), fc.boolean(), (instant, onSlot) => {
      const moment = onSlot ? (cron.nextRun(new Date(instant))?.getTime() ?? 0) : instant;
      expect(pattern.next(moment)).toBe(cron.nextRun(new Date(moment))?.getTime());
      expect(pattern.latest(moment)).toBe(cron.previousRuns(1, new Date(moment + 1))[0]?.getTime());
    }),
    { numRuns: 100 },
  );
});
