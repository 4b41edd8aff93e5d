/** `history --at` in a gap of snapshots names the statement that shows the balances which the exchange's ledger proves. */
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { normalize } from "../../src/core/decimal.ts";
import { runInProcess } from "../support/in-process.ts";
import { classic } from "../support/settings.ts";
import { createWorld } from "../support/world.ts";

const start = Date.parse("2026-10-20T10:00:00Z");
const minute = 60_000;

it("prints the statement only where the ledger proves every balance, and it shows those of the exchange", async () => {
  const world = await createWorld(
    "2026-10-20T09:59:30Z",
    { SCHEDULE_SPOT_ASSETS: "*/10 * * * *", SCHEDULE_BILLS: "*/10 * * * *", SCHEDULE_FUNDING_ASSETS: "*/10 * * * *" },
    { from: start - 120 * minute, habits: { hasCashFlows: true, activity: 48, places: 12 } },
  );
  for (const minutes of [0, 10, 20, 30, 150, 160, 170]) await world.at(start + minutes * minute);
  const history = (dataset: string, at: number) =>
    runInProcess(["history", dataset, "--at", new Date(at).toISOString()], dirname(world.path), {
      DATABASE_URL: `file:${world.path}`,
    });
  const inGap = start + 95 * minute;
  const { stderr } = await history("spot-assets", inGap);
  expect(stderr).toContain("main spot-assets: unknown at 2026-10-20T11:35:00.000Z");
  const [, statement = ""] =
    /The exchange's ledger proves the balances of then; to see them: sql "(.+)"/.exec(stderr) ?? [];
  const truth = new Map<string, string>();
  for (const { wallet, coin, at, balance } of world.exchange.ledgerOf(classic.name))
    if (wallet === "spot" && at <= inGap) truth.set(coin.toUpperCase(), normalize(balance));
  const shown = world.rows(statement) as { wallet: string; coin: string; balance: string; verdict: string }[];
  const changed = shown.filter(({ coin }) => truth.has(coin));
  expect(changed.length).toBeGreaterThan(5);
  for (const { coin, balance } of changed) expect([coin, normalize(balance)]).toEqual([coin, truth.get(coin)]);
  // The funding wallet of a classic account has no ledger; a snapshot needs none.
  expect((await history("funding-assets", inGap)).stderr).not.toContain("proves");
  expect((await history("spot-assets", start + 25 * minute)).stderr).not.toContain("proves");
});
