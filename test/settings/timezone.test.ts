import { describe, expect, it } from "vitest";
import { periodOf, startOfDate } from "../../src/queries/periods.ts";
import { isTimezone, timezoneProblem } from "../../src/settings/timezone.ts";

/** Legacy names that Intl knows and the calendar does not. */
const abbreviations = [
  ...["ACT", "AET", "AGT", "ART", "AST", "BET", "BST", "CAT", "CNT", "CST", "CTT", "EAT", "ECT", "IET", "IST", "JST"],
  ...["MIT", "NET", "NST", "PLT", "PNT", "PRT", "PST", "SST", "VST"],
];

describe("a time zone", () => {
  it.each(abbreviations)("is not the abbreviation %s: the message names a full name", (name) => {
    expect(isTimezone(name)).toBe(false);
    const [, instead = ""] = /; use a full name such as ([\w/]+)/.exec(timezoneProblem(name) ?? "") ?? [];
    expect(isTimezone(instead), instead).toBe(true);
  });

  it("suggests Asia/Tokyo for JST, in either case", () => {
    const rest = "an abbreviation of several time zones; use a full name such as Asia/Tokyo";
    expect(timezoneProblem("JST")).toBe(`is "JST", ${rest}`);
    expect(timezoneProblem("jst")).toBe(`is "jst", ${rest}`);
  });

  it("that is accepted works with the calendar", () => {
    const legacy = ["UTC", "GMT", "EST", "EST5EDT", "US/Pacific", "europe/berlin"];
    for (const name of [...Intl.supportedValuesOf("timeZone"), ...legacy]) {
      expect([name, timezoneProblem(name)]).toEqual([name, null]);
      expect(startOfDate("2026-03-29", name)).toBeTypeOf("number");
      expect(periodOf(name, "day", 1_774_800_000_000).name).toMatch(/^2026-03-\d\d$/);
    }
  });

  it.each(["", "Factory", "+02:00", "GMT+5", "XYZ", "Europe/Berln", "Europe/Berlin "])("is not %j", (name) => {
    expect(timezoneProblem(name)).toBe(
      `is "${name}"; it must be the name of a time zone, such as Europe/Berlin or UTC`,
    );
  });
});
