/** How long a run may take, with and without other processes that may run the next slot. */
import { expect, it } from "vitest";
import { timeLimit } from "../../../src/collecting/run-context.ts";
import { parsePattern } from "../../../src/core/cron.ts";

const slot = Date.UTC(2026, 2, 1, 12);

it.each([
  // pattern, seconds since the slot, limit alone, limit beside others
  ["*/5 * * * *", 0, 60, 60],
  ["*/5 * * * *", 270, 30, 29],
  ["* * * * *", 0, 60, 59],
  ["* * * * *", 12.5, 47.5, 46.5],
  ["* * * * *", 59.5, 0.5, 0],
  ["*/10 * * * * *", 0, 10, 9],
  ["*/2 * * * * *", 0, 2, 1.5],
  ["* * * * * *", 0, 1, 0.75],
])("%s, %d s after its slot: %d s alone, %d s beside others", (text, elapsed, alone, beside) => {
  const request = { slot, pattern: parsePattern(text) };
  const given = { now: slot + elapsed * 1000, settingMs: 60_000 };
  expect(timeLimit(request, { ...given, hasOthers: false }) / 1000).toBe(alone);
  expect(timeLimit(request, { ...given, hasOthers: true }) / 1000).toBe(beside);
});

it("a manual run may take as long as the setting", () => {
  expect(timeLimit({ slot }, { now: slot + 5, settingMs: 60_000, hasOthers: true })).toBe(60_000);
});
