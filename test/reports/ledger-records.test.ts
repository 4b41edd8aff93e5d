/** The ledger of an account whose bills are not collected. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { absolute, compare, subtract, sum } from "../../src/core/decimal.ts";
import { temporaryFolder } from "../support/files.ts";
import { classic, credentials, unified } from "../support/settings.ts";
import { openWorld } from "../support/world.ts";
import { days, reportRows } from "./kit.ts";

const hour = 3_600_000;
const start = Date.parse("2026-10-20T18:00:00Z");
const schedule = "0 * * * *";
const names = ["DEPOSITS", "WITHDRAWALS", "TRANSFERS", "FILLS"];
const settings = Object.fromEntries(names.map((name) => [`SCHEDULE_${name}`, schedule]));

it.each([
  ["classic", classic],
  ["unified", unified],
])("of a %s account is what the other lists have, and each once when bills come", async (_, account) => {
  const world = await openWorld(
    join(temporaryFolder(), "collector.db"),
    "2026-10-20T17:59:30Z",
    { ...settings, ...credentials(account) },
    { accounts: [account], from: start - 12 * hour, habits: { hasCashFlows: true, activity: 12 } },
  );
  try {
    for (let at = start; at <= start + 30 * hour; at += 10 * hour) await world.at(at);
    const report = () => reportRows(world.path, "ledger", days("2026-10-20", "2026-10-22"), { now: world.clock.now() });
    const truth = world.exchange
      .ledgerOf(account.name)
      .filter(({ at, visibleAt }) => at < world.clock.now() && visibleAt <= world.clock.now());
    const before = report();
    expect(before.map(({ source }) => source)).toEqual(expect.arrayContaining(["fills", "deposits"]));
    const coins = new Set(before.map(({ coin }) => String(coin)));
    expect(coins.size).toBeGreaterThan(4);
    for (const coin of coins) {
      const traded = before.filter((row) => row.coin === coin && row.source === "fills" && row.change !== null);
      const expected = truth.filter((one) => one.coin === coin && isTraded(one.type));
      const difference = subtract(
        sum(traded.map(({ change }) => String(change))),
        sum(expected.map(({ change }) => change)),
      );
      // Entries are rounded to eight places, fills are not.
      expect([coin, compare(absolute(difference), "0.000001")]).toEqual([coin, -1]);
    }

    await world.restart({ ...settings, ...credentials(account), SCHEDULE_BILLS: schedule });
    await world.at(start + 31 * hour);
    const after = report();
    expect(after.length).toBeGreaterThan(before.length);
    expect(after.filter(({ source }) => source !== "bills")).toEqual([]);
  } finally {
    await world.close();
  }
});

const isTraded = (type: string): boolean =>
  /^(buy|sell|order_dealt|open_|close_|force_close|burst|adl|offset_reduce|delivery|deduction_h|order_plf)/i.test(type);
