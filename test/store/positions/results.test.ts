/** The results of closed positions: the exchange's, and those of its ledger, for positions that snapshots showed and others. */

import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { runToEnd } from "../../../src/core/async/cooperate.ts";
import { add, compare, isZero, normalize, subtract } from "../../../src/core/decimal.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { reconcileFile } from "../../../src/store/ledger/reconcile-file.ts";
import { checkPositions } from "../../../src/store/verify/ledger/check-positions.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { classic, credentials, unified } from "../../support/settings.ts";
import { createWorld, type World } from "../../support/world.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.parse("2026-10-20T06:00:00Z");
const schedule = "*/30 * * * *";
const settings = {
  SCHEDULE_POSITIONS: schedule,
  SCHEDULE_SPOT_ASSETS: schedule,
  SCHEDULE_MIX_ACCOUNTS: schedule,
  SCHEDULE_BILLS: schedule,
  SCHEDULE_CLOSED_POSITIONS: schedule,
};

const newWorld = (account = classic, habits = {}, schedules: Record<string, string> = settings) =>
  createWorld(
    "2026-10-20T05:59:30Z",
    { ...schedules, ...credentials(account) },
    { accounts: [account], from: start - 14 * hour, habits: { hasCashFlows: true, activity: 48, ...habits } },
  );

async function live(world: World, hours: number, from = start): Promise<void> {
  for (let at = from; at <= from + hours * hour; at += 30 * minute) await world.at(at);
}

type Row = Record<string, string | number | null>;

const episodes = (world: World, where = "true"): Row[] =>
  world.rows(`select * from position_episodes where ${where} order by closed_at, symbol, hold_side`) as Row[];
const listed = (world: World): Row[] => world.rows("select * from closed_positions") as Row[];

it.each([
  ["classic", classic],
  ["unified", unified],
])(
  "the positions of a %s account in one-way mode are proven, although its entries name no side",
  async (_, account) => {
    const world = await newWorld(account, { isOneWay: true, activity: 24 });
    await live(world, 6);
    const closed = episodes(world, "position_id is not null and closed_before > opened_at");
    expect(closed.filter(({ verdict }) => verdict === "proven").length).toBeGreaterThan(10);
    // One order closed a position and opened another one that is still open: only its close will tell them apart.
    const others = closed.filter(({ verdict }) => verdict !== "proven");
    const open = episodes(world, "state = 'open'");
    expect(
      others.filter(
        ({ symbol, closed_at }) => !open.some((one) => one.symbol === symbol && one.opened_at === closed_at),
      ),
    ).toEqual([]);
    expect(others.filter(({ verdict }) => verdict !== "unprovable")).toEqual([]);
    expect(closed.filter(({ bills_funding }) => bills_funding !== "0").length).toBeGreaterThan(0);
    expect(world.rows("select distinct hold_mode from positions_history")).toEqual([{ hold_mode: "one_way_mode" }]);
    const trades =
      "select distinct lower(type) as type from bills where kind = 'trade' and wallet in ('umcbl', 'unified') and category <> 'unified/SPOT'";
    expect(world.rows(`${trades} and lower(type) like '%long%'`)).toEqual([]);
  },
);

describe.each([
  ["classic", classic],
  ["unified", unified],
])("the positions of a %s account", (_, account) => {
  it("have the exchange's results to the last digit, and its ledger contradicts none of them", async () => {
    const world = await newWorld(account);
    await live(world, 6);
    const closed = listed(world);
    const shown = new Map(episodes(world, "position_id is not null").map((row) => [row.position_id, row]));
    expect(closed.length).toBeGreaterThan(20);
    expect([...shown.keys()].sort()).toEqual(closed.map(({ position_id }) => position_id).sort());
    for (const record of closed) {
      const row = shown.get(record.position_id ?? "") as Row;
      expect(row).toMatchObject({
        state: "closed",
        opened_at: record.opened_at,
        closed_at: record.closed_at,
        realized_pl: record.realized_pl,
        funding: record.funding,
        fees: subtract("0", add(String(record.open_fee), String(record.close_fee))),
        net_profit: record.net_profit,
        close_average_price: record.close_average_price,
        held_ms: Date.parse(String(record.closed_at)) - Date.parse(String(record.opened_at)),
      });
      if (row.bills_net_profit === null) continue;
      expect(compare(String(row.bills_net_profit), String(record.net_profit))).toBe(0);
      expect(isZero(String(row.difference))).toBe(true);
    }
    const verdicts = [...shown.values()].map(({ verdict }) => verdict);
    expect(verdicts.filter((one) => !["proven", "unprovable", "gap", "open"].includes(String(one)))).toEqual([]);
    expect(verdicts.filter((one) => one === "proven").length).toBeGreaterThan(10);
    const seen = [...shown.values()].map((row) => row.seen);
    expect(seen).toContain(0);
    expect(seen).toContain(1);
    expect(episodes(world, "funding <> '0' and verdict = 'proven'").length).toBeGreaterThan(0);
  });
});

it("give the same results pass by pass as at once", async () => {
  const world = await newWorld();
  await live(world, 4);
  await reconcileFile(world.path, { now: start + 4 * hour });
  const before = world.rows("select * from position_result order by 1, 2") as Row[];
  await reconcileFile(world.path, { now: start + 4 * hour, isFull: true });
  const after = world.rows("select * from position_result order by 1, 2") as Row[];
  const comparable = (rows: Row[]) => rows.map(({ through: _, ...row }) => row);
  expect(before.length).toBeGreaterThan(10);
  expect(comparable(after)).toEqual(comparable(before));
  expect((await verify(world.path, datasets)).problems).toEqual([]);
  const sqlite = new Database(world.path);
  for (const { name, type } of sqlite.prepare("select name, type from pragma_table_info('position_result')").all() as {
    name: string;
    type: string;
  }[]) {
    if (["scope_id", "is_final", "through"].includes(name)) continue;
    const other =
      type === "BLOB" ? `cast(x'a1b5' || ${name} as blob)` : type === "TEXT" ? `${name} || '1'` : `${name} + 1`;
    sqlite.exec("begin");
    const one = `select scope_id, position_id from position_result where is_final = 1 and ${name} is not null limit 1`;
    sqlite.exec(`update position_result set ${name} = ${other} where (scope_id, position_id) in (${one})`);
    const found: string[] = [];
    runToEnd(checkPositions(sqlite, (problem) => found.push(problem), []));
    sqlite.exec("rollback");
    expect(found.length, name).toBeGreaterThan(0);
    expect(found[0]).toContain("position_result");
  }
  sqlite.close();
});

it("are unknown without the list, and a late entry of the ledger corrects the verdict", async () => {
  const world = await newWorld(classic, {}, { ...settings, SCHEDULE_CLOSED_POSITIONS: "" });
  await live(world, 1);
  const results = "realized_pl, funding, fees, net_profit, closed_at, verdict";
  expect(world.rows(`select distinct ${results} from position_episodes where state = 'closed'`)).toEqual([
    { realized_pl: null, funding: null, fees: null, net_profit: null, closed_at: null, verdict: null },
  ]);
  await world.restart({ ...settings, ...credentials(classic) });
  await live(world, 1, start + 1.5 * hour);
  world.clock.advanceTo(start + 3.9 * hour);
  const from = start + 3 * hour;
  const closed = world.exchange
    .ledgerOf(classic.name)
    .find(({ at, type, amount }) => at > from && type.startsWith("close_") && !isZero(amount));
  if (!closed) throw new Error("nothing was closed");
  world.exchange.listFaults.hide(closed.id);
  await live(world, 1, start + 4 * hour);
  const wrong = episodes(world, "verdict = 'break'");
  expect(wrong.map(({ difference }) => difference)).toEqual([normalize(closed.change)]);
  world.exchange.listFaults.show(closed.id);
  // The first run of a day reads three days again.
  await live(world, 0.5, Date.parse("2026-10-21T00:00:00Z"));
  expect(episodes(world, "verdict = 'break'")).toEqual([]);
  expect(episodes(world, `position_id = '${wrong[0]?.position_id}'`)).toMatchObject([
    { difference: "0", verdict: "proven" },
  ]);
});
