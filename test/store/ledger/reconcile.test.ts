/** The ledgers of the simulated exchange, collected and reconciled with the snapshots of the same accounts. */
import { describe, expect, it } from "vitest";
import { normalize } from "../../../src/core/decimal.ts";
import { datasets } from "../../../src/datasets/index.ts";
import type { Simulator, SimulatorOptions } from "../../../src/simulator/simulator.ts";
import { reconcileFile } from "../../../src/store/ledger/reconcile-file.ts";
import { withHistory } from "../../../src/store/read/open-history.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { classic, credentials, unified } from "../../support/settings.ts";
import { createWorld, type World } from "../../support/world.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.parse("2026-10-20T10:00:00Z");
const schedule = "*/30 * * * *";
const settings = {
  SCHEDULE_SPOT_ASSETS: schedule,
  SCHEDULE_FUNDING_ASSETS: schedule,
  SCHEDULE_MIX_ACCOUNTS: schedule,
  SCHEDULE_BILLS: schedule,
  SCHEDULE_WITHDRAWALS: schedule,
};
const good = ["proven", "rounded", "open"];

const newWorld = (account = classic, habits: Partial<SimulatorOptions["habits"]> = { hasCashFlows: true }) =>
  createWorld(
    "2026-10-20T09:59:30Z",
    { ...settings, ...credentials(account) },
    {
      accounts: [account],
      from: start - 12 * hour,
      habits: { ...habits, activity: 48 },
    },
  );

/** Collects every half hour from `from` on; each run of bills reconciles what is new. */
async function live(world: World, from: number, hours: number): Promise<number> {
  for (let at = from; at <= from + hours * hour; at += 30 * minute) await world.at(at);
  return from + hours * hour;
}

type Row = Record<string, unknown>;

/** Returns the stretches; reconciles everything again before where `now` is given. */
async function stretches(world: World, now?: number): Promise<Row[]> {
  if (now !== undefined) await reconcileFile(world.path, { now, isFull: true });
  const everything = { account: undefined, wallet: undefined, coin: undefined, from: 0, to: Number.MAX_SAFE_INTEGER };
  const { columns, rows } = withHistory(world.path, (history) => history.reconciliation(everything));
  return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null])));
}

const availableFindings =
  "select type from ledger_findings where category = 'spot' and convention = 'balance without frozen and locked' order by 1";

const bad = (rows: readonly Row[]) => rows.filter(({ verdict }) => !good.includes(String(verdict)));
const balances = (world: World) =>
  world.rows(
    "select wallet, coin, bill_id as id, balance, change from bills order by wallet, coin, booked_at_ms",
  ) as Row[];

/** What the exchange knows of the entries that are listed at `now`. */
const truthOf = (exchange: Simulator, account: string, now: number) =>
  new Map(
    exchange
      .ledgerOf(account)
      .filter(({ visibleAt }) => visibleAt <= now)
      .map(({ wallet, coin, id, change, balance }) => [
        `${wallet} ${coin} ${id}`,
        { change: normalize(change), balance },
      ]),
  );

describe.each([
  ["classic", classic],
  ["unified", unified],
])("a %s account", (_, account) => {
  it("is proven: each balance and each change is the exchange's, and only wallets without a ledger are not", async () => {
    const world = await newWorld(account);
    const now = await live(world, start, 5);
    const found = await stretches(world, now + 20 * minute);
    expect(
      [...new Set(bad(found).map(({ verdict }) => verdict))].filter((verdict) => verdict !== "unprovable"),
    ).toEqual([]);
    expect(found.some(({ verdict }) => verdict === "proven")).toBe(true);
    expect(world.rows(availableFindings)).toEqual([]);
    const truth = truthOf(world.exchange, account.name, now);
    const stored = balances(world);
    expect(stored.length).toBeGreaterThan(300);
    for (const { wallet, coin, id, change, balance } of stored) {
      const known = truth.get(`${wallet} ${coin} ${id}`);
      expect({
        id,
        coin,
        change: change === null ? null : normalize(String(change)),
        balance: normalize(String(balance)),
      }).toEqual({
        id,
        coin,
        change: known?.change,
        balance: normalize(known?.balance ?? "0"),
      });
    }
  });

  it("gives the same stretches run by run as at once", async () => {
    const world = await newWorld(account);
    const now = await live(world, start, 4);
    // The snapshots of a slot may have been stored after the bills.
    await reconcileFile(world.path, { now });
    const step = await stretches(world);
    expect(await stretches(world, now)).toEqual(step);
  });
});

it("finds the one entry that is missing, with its amount, and is healed when it appears", async () => {
  const world = await newWorld();
  await live(world, start, 2);
  const isHidden = (entry: { at: number; wallet: string; coin: string; change: string }) =>
    entry.at > start + 3 * hour &&
    entry.at < start + 6 * hour &&
    entry.wallet === "umcbl" &&
    normalize(entry.change) !== "0";
  // The accounts follow the time: what will happen is known only when it has.
  await live(world, start + 2.5 * hour, 0.5);
  world.clock.advanceTo(start + 3.4 * hour);
  const hidden = world.exchange.ledgerOf(classic.name).find(isHidden);
  if (!hidden) throw new Error("nothing happened");
  world.exchange.listFaults.hide(hidden.id);
  const now = await live(world, start + 3.5 * hour, 3);
  expect(bad(await stretches(world)).filter(({ verdict }) => verdict === "break")).toMatchObject([
    { wallet: hidden.wallet, coin: hidden.coin, residual: normalize(hidden.change) },
  ]);
  world.exchange.listFaults.show(hidden.id);
  // The entry is older than what every run reads again; the first one of a day reads three days.
  await live(world, Date.parse("2026-10-21T00:00:00Z"), 1);
  expect(bad(await stretches(world)).filter(({ verdict }) => verdict === "break")).toEqual([]);
  expect(now).toBeLessThan(Date.parse("2026-10-21T00:00:00Z"));
});

it("balances of the spot ledger may leave out what is frozen: that is found from the snapshots, and the ledger is read so", async () => {
  const world = await newWorld(classic, { leavesOutFrozen: true });
  const now = await live(world, start, 4);
  await reconcileFile(world.path, { now });
  const found = await stretches(world);
  const isSpot = ({ wallet }: Row) => wallet === "spot";
  const findings = world.rows(availableFindings) as { type: string }[];
  expect(findings.length).toBeGreaterThan(0);
  const coins = findings.map(({ type }) => type);
  const ofThese = found.filter(isSpot).filter(({ coin }) => coins.includes(String(coin)));
  expect(new Set(ofThese.map(({ coin }) => coin)).size).toBe(coins.length);
  expect(bad(ofThese)).toEqual([]);
  const truth = truthOf(world.exchange, classic.name, now);
  for (const { wallet, coin, id, change } of balances(world))
    if (wallet === "spot" && coins.includes(String(coin)))
      expect([id, normalize(String(change))]).toEqual([id, truth.get(`${wallet} ${coin} ${id}`)?.change]);
  // What was frozen before the first snapshot only is not known.
  const isLater = ({ to_at }: Row) => Date.parse(String(to_at)) > start + minute;
  expect(bad(found.filter(isSpot).filter(isLater))).toEqual([]);
  expect((await verify(world.path, datasets)).problems).toEqual([]);
});
