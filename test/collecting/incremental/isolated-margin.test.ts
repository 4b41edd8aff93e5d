/** The ledgers of isolated margin: one for each pair that the account uses, found when the exchange lists it. */
import { expect, it } from "vitest";
import { normalize } from "../../../src/core/decimal.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { bills } from "../../../src/datasets/ledger/bills.ts";
import { replay } from "../../../src/store/responses/replay.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { classic, credentials } from "../../support/settings.ts";
import { createWorld, type World } from "../../support/world.ts";

const minute = 60_000;
const start = Date.parse("2026-10-20T10:00:00Z");
const assetsPath = "/api/v2/margin/isolated/account/assets";
const settings = { ...credentials(classic), SCHEDULE_BILLS: "*/15 * * * *", KEEP_RAW_DAYS: "1" };

const newWorld = (usesMargin = true) =>
  createWorld("2026-10-20T09:58:00Z", settings, {
    accounts: [classic],
    from: start - 3 * minute,
    habits: { usesMargin },
  });

async function live(world: World, from: number, hours: number): Promise<void> {
  for (let at = from; at <= from + hours * 60 * minute; at += 15 * minute) await world.at(at);
}

const states = "select distinct state from runs";
const isPair = ({ wallet }: { wallet: string }) => wallet.startsWith("margin-isolated/");
const query = `select category, coin, bill_id, at_ms, type, amount, fee, change, balance from bills
  where wallet = 'margin-isolated' order by category, at_ms, length(bill_id), bill_id`;

it("is collected pair by pair, also after a pair was emptied, and each balance follows from the one before", async () => {
  const world = await newWorld();
  await live(world, start, 1);
  expect(world.rows("select distinct category from bills where wallet = 'margin-isolated'").length).toBe(2);
  // The exchange does not list what holds nothing.
  const edit = (envelope: unknown) => ({ ...(envelope as object), data: [] });
  world.exchange.injectFault({ path: assetsPath, edit, times: Number.POSITIVE_INFINITY });
  await live(world, start + 75 * minute, 1);
  expect(world.rows(states)).toEqual([{ state: "ok" }]);
  const truth = world.exchange
    .ledgerOf(classic.name)
    .filter(isPair)
    .sort((one, other) => (one.wallet < other.wallet ? -1 : 1))
    .map(({ wallet, coin, id, at, type, amount, fee, change, balance }) => ({
      ...{ category: wallet, coin, bill_id: id, at_ms: at, type, amount, fee },
      ...{ change: normalize(change), balance },
    }));
  expect(world.rows(query)).toEqual(truth);
  expect(truth.filter(({ type }) => type === "transfer_out").length).toBeGreaterThan(1);
  expect(world.rows("select distinct symbol from bills where wallet = 'margin-isolated' order by 1")).toEqual([
    { symbol: "BTCUSDT" },
    { symbol: "ETHUSDT" },
  ]);
  // The pairs have no snapshots: nothing breaks, and nothing is proven by anything but their own entries.
  const verdicts =
    "select distinct wallet, verdict from reconciliation where wallet like 'margin-isolated%' order by 1, 2";
  expect(world.rows(verdicts)).toEqual(
    ["BTCUSDT", "ETHUSDT"].map((pair) => ({ wallet: `margin-isolated/${pair}`, verdict: "open" })),
  );
  expect(world.rows("select distinct wallet from wallet_balances where wallet like 'margin%' order by 1")).toEqual(
    ["BTCUSDT", "ETHUSDT"].map((pair) => ({ wallet: `margin-isolated/${pair}` })),
  );
  expect((await verify(world.path, datasets)).problems).toEqual([]);
  // The queued responses are written.
  await world.restart();
  expect(new Set([...replay(world.path, bills, 0)].map(({ outcome }) => outcome))).toEqual(new Set(["same"]));
});

it("an account that uses none is asked for its pairs only, and that it has none is a fact", async () => {
  const world = await newWorld(false);
  await world.at(start);
  const found = "select product_type, state, rows from snapshots where product_type like 'margin-isolated%'";
  expect(world.rows(found)).toEqual([{ product_type: "margin-isolated", state: "ok", rows: 0 }]);
});

it("pairs that cannot be listed are a gap with its cause, and known ones are read all the same", async () => {
  const world = await newWorld();
  await live(world, start, 0.5);
  const before = world.rows(query).length;
  expect(before).toBeGreaterThan(0);
  world.exchange.injectFault({ path: assetsPath, code: "40014", times: Number.POSITIVE_INFINITY });
  await live(world, start + 45 * minute, 0.5);
  expect(world.rows(query).length).toBeGreaterThan(before);
  expect(world.rows("select product_type, cause from gaps where product_type like 'margin-isolated%'")).toEqual([
    { product_type: "margin-isolated", cause: "40014" },
  ]);
});
