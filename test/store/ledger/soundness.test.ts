/**
 * Random lives in which entries are hidden and appear late, lists are refused, schedules change and nothing runs at times: whatever happened,
 * nothing is called proven of which an entry is missing, nothing breaks of which none is, and passes give what one pass would.
 */
import { copyFileSync } from "node:fs";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { normalize } from "../../../src/core/decimal.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { type Random, random } from "../../../src/simulator/market/random.ts";
import type { TrueEntry } from "../../../src/simulator/simulator.ts";
import { reconcileFile } from "../../../src/store/ledger/reconcile-file.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { classic, credentials, unified } from "../../support/settings.ts";
import { createWorld, type World } from "../../support/world.ts";
import { query } from "../kit.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.parse("2026-10-20T10:00:00Z");
const refusable = [
  ...["/api/v3/account/financial-records", "/api/v3/account/assets"],
  ...["/api/v2/mix/account/bill", "/api/v2/spot/account/bills", "/api/v2/spot/account/assets"],
];

/** At the hour, where funding is booked, and beside it. */
const patterns = ["0 * * * *", "20 * * * *", "7,37 * * * *"];

interface Setting {
  account: typeof classic;
  dice: Random;
  settings: Record<string, string>;
}

function settingOf(seed: number): Setting {
  const [account, dice] = [seed % 2 === 1 ? classic : unified, random(seed)];
  const every = dice.pick(patterns);
  const names = ["SPOT_ASSETS", "FUNDING_ASSETS", "MIX_ACCOUNTS"];
  const settings = {
    ...Object.fromEntries(names.map((name) => [`SCHEDULE_${name}`, every])),
    SCHEDULE_BILLS: dice.pick([every, "*/30 * * * *", "15 */2 * * *"]),
    SCHEDULE_WITHDRAWALS: "7 * * * *",
    ...credentials(account),
  };
  return { account, dice, settings };
}

/** Lets something go wrong at times; it is over after some requests, hours or restarts. */
async function disturb(world: World, { account, dice, settings }: Setting): Promise<void> {
  const now = world.clock.now();
  const chance = dice.integer(0, 99);
  if (chance < 8) {
    const recent = world.exchange.ledgerOf(account.name).filter(({ at }) => at > now - 20 * minute && at <= now);
    const isForEver = dice.integer(0, 1) === 0;
    if (recent.length > 0)
      world.exchange.listFaults.hide(dice.pick(recent).id, isForEver ? undefined : now + dice.integer(1, 4) * hour);
  } else if (chance < 12)
    world.exchange.injectFault({ path: dice.pick(refusable), code: "40014", times: dice.integer(1, 4) });
  else if (chance < 14) await world.restart({ ...settings, SCHEDULE_BILLS: "" });
  else if (chance < 18) await world.restart(settings);
}

async function live(setting: Setting, seed: number): Promise<World> {
  const { account, dice, settings } = setting;
  const world = await createWorld(new Date(start - 30_000).toISOString(), settings, {
    ...{ accounts: [account], seed, from: start - dice.integer(4, 30) * hour },
    habits: { hasCashFlows: true, activity: dice.pick([4, 20]), places: dice.pick([8, 12]) },
  });
  for (let at = start; at <= start + 12 * hour; at += 10 * minute) {
    world.clock.advanceTo(at - minute);
    await disturb(world, setting);
    if (dice.integer(0, 9) > 0) await world.at(at);
  }
  await reconcileFile(world.path, { now: world.clock.now() });
  return world;
}

const stretchesIn = (path: string) =>
  query(path, "select * from reconciliation order by wallet, coin, from_at") as Record<string, string>[];

/** Returns the entries of a stretch that the exchange has and that are not stored; those within `slack` of its ends, ms, count as in it. */
function missingIn(
  row: Record<string, string>,
  truth: readonly TrueEntry[],
  stored: ReadonlySet<unknown>,
  slack: number,
) {
  const [from, to] = [Date.parse(row.from_at ?? "") - slack, Date.parse(row.to_at ?? "") + slack];
  return truth.filter(
    ({ wallet, coin, at, id, change }) =>
      wallet === row.wallet &&
      coin.toUpperCase() === row.coin &&
      at > from &&
      at < to &&
      normalize(change) !== "0" &&
      !stored.has(`${wallet} ${id}`),
  );
}

it.each([1, 2, 3, 4, 5, 6])("a life with faults is judged right, run by run as at once (seed %i)", async (seed) => {
  const setting = settingOf(seed);
  const world = await live(setting, seed);
  expect((await verify(world.path, datasets)).problems).toEqual([]);
  const now = world.clock.now();
  const stretches = stretchesIn(world.path);
  const truth = world.exchange.ledgerOf(setting.account.name).filter(({ visibleAt }) => visibleAt <= now);
  const stored = new Set(
    world.rows("select wallet || ' ' || bill_id as id from bills").map((row) => (row as { id: string }).id),
  );
  for (const row of stretches)
    if (row.verdict === "proven" || row.verdict === "rounded")
      expect({ row, missing: missingIn(row, truth, stored, -15_000) }).toEqual({ row, missing: [] });
    else if (row.verdict === "break")
      expect(missingIn(row, truth, stored, 15_000), JSON.stringify(row)).not.toEqual([]);
  await world.scheduler.stop();
  const source = new Database(world.path);
  source.pragma("wal_checkpoint(truncate)");
  source.close();
  const copy = `${world.path}.full`;
  copyFileSync(world.path, copy);
  await reconcileFile(copy, { now, isFull: true });
  expect(stretchesIn(copy)).toEqual(stretches);
});
