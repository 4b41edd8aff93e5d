import { expect, it } from "vitest";
import { dateOf, parseInstant, Times } from "../../../src/commands/shared/instant.ts";
import { UsageError } from "../../../src/core/errors.ts";

const now = Date.parse("2026-11-22T15:34:45.500Z");

it.each([
  ["now", "2026-11-22T15:34:45.500Z"],
  ["-1h", "2026-11-22T14:34:45.500Z"],
  ["-7d", "2026-11-15T15:34:45.500Z"],
  ["-30m", "2026-11-22T15:04:45.500Z"],
  ["-90s", "2026-11-22T15:33:15.500Z"],
  ["-2w", "2026-11-08T15:34:45.500Z"],
  ["today", "2026-11-22T00:00:00.000Z"],
  ["yesterday", "2026-11-21T00:00:00.000Z"],
  ["2026-10", "2026-10-01T00:00:00.000Z"],
  ["2026-11-01", "2026-11-01T00:00:00.000Z"],
  ["2026-11-01T12:30", "2026-11-01T12:30:00.000Z"],
  ["2026-11-01 12:30:05", "2026-11-01T12:30:05.000Z"],
  ["2026-11-01T12:30:05.25Z", "2026-11-01T12:30:05.250Z"],
  ["2026-11-01T00:30:00+01:00", "2026-10-31T23:30:00.000Z"],
  ["2026-11-01T00:30:00-0530", "2026-11-01T06:00:00.000Z"],
  ["2028-02-29", "2028-02-29T00:00:00.000Z"],
])("%s is %s", (text, instant) => {
  expect(new Date(parseInstant("--at", text, now)).toISOString()).toBe(instant);
});

it.each([
  ["2026-11-01", "2026-10-31T23:00:00.000Z"],
  ["2026-07-01T12:00", "2026-07-01T10:00:00.000Z"],
  ["2026-07-01T12:00Z", "2026-07-01T12:00:00.000Z"],
  ["2026-07", "2026-06-30T22:00:00.000Z"],
  // At 23:30 UTC it is the next day already.
  ["today", "2026-11-22T23:00:00.000Z"],
  ["yesterday", "2026-11-21T23:00:00.000Z"],
  // Half past two does not exist on that day, and exists twice on the other.
  ["2026-03-29T02:30", "2026-03-29T01:30:00.000Z"],
  ["2026-10-25T02:30", "2026-10-25T00:30:00.000Z"],
])("in Europe/Berlin %s is %s", (text, instant) => {
  const late = Date.parse("2026-11-22T23:30:00Z");
  expect(new Date(parseInstant("--at", text, late, "Europe/Berlin")).toISOString()).toBe(instant);
});

it("shows times in the time zone of the option, and refuses an unknown one", () => {
  expect(new Times({ timezone: "Asia/Tokyo" }, now).text(now)).toBe("2026-11-23 00:34:45");
  expect(new Times({ from: "-1h" }, now).span()).toEqual({ from: now - 3_600_000, to: Number.MAX_SAFE_INTEGER });
  for (const empty of [
    { from: "today", to: "yesterday" },
    { to: "2026-11", from: "2026-11-01" },
  ])
    expect(() => new Times(empty, now).span()).toThrow("--to is not after --from");
  expect(() => new Times({ timezone: "Mars/Olympus" })).toThrow('--timezone is "Mars/Olympus"');
});

it.each([
  "",
  "tomorrow",
  "2026-13",
  "1h",
  "-1y",
  "2026-02-30",
  "2026-13-01",
  "2026-11-01T25:00",
  "20261101",
  "11/01/2026",
  "1793491200000",
])("%j is rejected with the name of the option", (text) => {
  expect(() => parseInstant("--at", text, now)).toThrow(UsageError);
  expect(() => parseInstant("--at", text, now)).toThrow("--at");
});

it("yesterday is the date before today in the time zone of the caller, also at the start of a year", () => {
  expect(dateOf("yesterday", "2027-01-01")).toBe("2026-12-31");
  expect(dateOf("today", "2027-01-01")).toBe("2027-01-01");
});
