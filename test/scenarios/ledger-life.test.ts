/** Lives of 50,000 entries each. It takes minutes, so it is not part of `npm test`. */
import { expect, it } from "vitest";
import { collectLife, expectRebuilt } from "../support/ledger-life.ts";
import { classic, unified } from "../support/settings.ts";

it.each([
  ["classic", classic, 8],
  ["unified", unified, 16],
] as const)(
  "fifty thousand entries of a %s account are rebuilt at every change, whichever snapshots are missing",
  async (_, account, places) => {
    const habits = { activity: 11, places };
    const world = await collectLife({ account, habits, seed: 100 + places, hours: 88 * 24, everyHours: 2 });
    expect(await expectRebuilt(world, account, [1, 2, 3])).toBeGreaterThan(50_000);
  },
);
