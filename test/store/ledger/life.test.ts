/** A day of thousands of entries. The full size is in scenarios/ledger-life.test.ts. */
import { expect, it } from "vitest";
import { collectLife, expectRebuilt } from "../../support/ledger-life.ts";
import { classic, unified } from "../../support/settings.ts";

it.each([
  ["classic", classic, 16],
  ["unified", unified, 8],
] as const)(
  "a day of a %s account is rebuilt at every change, whichever snapshots are missing",
  async (_, account, places) => {
    const habits = { activity: 48, places };
    const world = await collectLife({ account, habits, seed: places, hours: 24, everyHours: 1 });
    expect(await expectRebuilt(world, account, [1, 2, 3])).toBeGreaterThan(2500);
  },
);
