/** The report of profit over a year of two simulated accounts. */
import { expect, it } from "vitest";
import { expectExplained, live } from "./pnl-life.ts";

it("explains every day of a year, but those on which the account was upgraded", async () => {
  const life = await live(365, 180);
  try {
    const explained = expectExplained(life);
    const missing = life.byDay.filter((row) => !explained.includes(row));
    expect(missing.map(({ day, account }) => `${day} ${account}`)).toEqual([
      ...["2026-01-01 main", "2026-01-01 hedge"],
      ...["2026-06-29 main", "2026-06-30 main"],
    ]);
    expect(life.byDay).toHaveLength(730);
  } finally {
    await life.close();
  }
});
