import { describe, expect, it } from "vitest";
import { periodOf, periodsOf, type Step, startOfDate, startOfDays } from "../../src/queries/periods.ts";

const hour = 3_600_000;

/** Returns name, start in UTC and length in hours of the periods that overlap a span. */
const periodLines = (timezone: string, by: Step, from: string, to: string) =>
  [...periodsOf({ timezone, by, from: Date.parse(from), to: Date.parse(to) })].map(
    (period) => `${period.name} ${new Date(period.from).toISOString()} ${(period.to - period.from) / hour}`,
  );

describe("a local day", () => {
  it("has 25 hours where New York's clocks go back, and 23 where they go forward", () => {
    expect(periodLines("America/New_York", "day", "2026-10-31T12:00:00Z", "2026-11-02T05:00:00.001Z")).toEqual([
      "2026-10-31 2026-10-31T04:00:00.000Z 24",
      "2026-11-01 2026-11-01T04:00:00.000Z 25",
      "2026-11-02 2026-11-02T05:00:00.000Z 24",
    ]);
    expect(periodLines("America/New_York", "day", "2026-03-08T12:00:00Z", "2026-03-09T04:00:00Z")).toEqual([
      "2026-03-08 2026-03-08T05:00:00.000Z 23",
    ]);
  });

  it("is half an hour longer or shorter on Lord Howe", () => {
    expect(periodLines("Australia/Lord_Howe", "day", "2026-04-05T00:00:00Z", "2026-04-05T00:00:01Z")).toEqual([
      "2026-04-05 2026-04-04T13:00:00.000Z 24.5",
    ]);
    expect(periodLines("Australia/Lord_Howe", "day", "2026-10-04T00:00:00Z", "2026-10-04T00:00:01Z")).toEqual([
      "2026-10-04 2026-10-03T13:30:00.000Z 23.5",
    ]);
  });

  it("begins at one o'clock where midnight does not exist", () => {
    expect(periodLines("Asia/Beirut", "day", "2026-03-28T12:00:00Z", "2026-03-29T22:00:00Z")).toEqual([
      "2026-03-28 2026-03-27T22:00:00.000Z 24",
      "2026-03-29 2026-03-28T22:00:00.000Z 23",
      "2026-03-30 2026-03-29T21:00:00.000Z 24",
    ]);
  });

  it("that a zone skipped does not exist", () => {
    expect(periodLines("Pacific/Apia", "day", "2011-12-30T00:00:00Z", "2011-12-30T12:00:00Z")).toEqual([
      "2011-12-29 2011-12-29T10:00:00.000Z 24",
      "2011-12-31 2011-12-30T10:00:00.000Z 24",
    ]);
  });
});

describe("a local month", () => {
  it("ends where the next begins, in leap years too", () => {
    expect(periodLines("Europe/Berlin", "month", "2028-01-31T22:00:00Z", "2028-04-01T00:00:00Z")).toEqual([
      "2028-01 2027-12-31T23:00:00.000Z 744",
      "2028-02 2028-01-31T23:00:00.000Z 696",
      "2028-03 2028-02-29T23:00:00.000Z 743",
      "2028-04 2028-03-31T22:00:00.000Z 720",
    ]);
  });
});

it.each([
  [30, "2026-04-10", 30 * 24 - 1],
  [91, "2026-05-01", 91 * 24 - 1],
  [365, "2026-03-29", 365 * 24 - 1],
  [30, "2026-11-10", 30 * 24 + 1],
  [30, "2026-11-30", 30 * 24],
  [1, "2026-03-29", 23],
])("%i local days up to %s are as many where the clocks go forward or back, with %i hours", (days, last, hours) => {
  const timezone = "Europe/Berlin";
  const { from, to } = periodOf(timezone, "day", Date.parse(`${last}T12:00:00Z`));
  for (const at of [from, to - 1]) {
    const begin = startOfDays(timezone, days, at);
    expect([...periodsOf({ timezone, by: "day", from: begin, to })]).toHaveLength(days);
    expect((to - begin) / hour).toBe(hours);
  }
});

it("an instant belongs to one period, and an empty span has none", () => {
  expect(periodOf("UTC", "day", Date.parse("2026-11-02T00:00:00Z")).name).toBe("2026-11-02");
  expect(periodOf("UTC", "day", Date.parse("2026-11-01T23:59:59.999Z")).name).toBe("2026-11-01");
  expect(periodLines("UTC", "day", "2026-11-02T00:00:00Z", "2026-11-02T00:00:00Z")).toEqual([]);
});

it("a date is parsed in its time zone, and one that does not exist is rejected", () => {
  expect(startOfDate("2026-11-01", "America/New_York")).toBe(Date.parse("2026-11-01T04:00:00Z"));
  expect(startOfDate("2026-02-30", "UTC")).toBeNull();
  expect(startOfDate("-1h", "UTC")).toBeNull();
});
