/** A random life of an account, collected by the program, whose rebuilt balances are compared with the simulated exchange's own record. */
import { copyFileSync } from "node:fs";
import Database from "better-sqlite3";
import { expect } from "vitest";
import type { Habits } from "../../src/simulator/exchange.ts";
import { random } from "../../src/simulator/market/random.ts";
import type { SimulatedAccount, Simulator } from "../../src/simulator/simulator.ts";
import { reconcileFile } from "../../src/store/ledger/reconcile-file.ts";
import { change, query } from "../store/kit.ts";
import { credentials } from "./settings.ts";
import { createWorld, type World } from "./world.ts";

const minute = 60_000;
const hour = 60 * minute;

export interface LedgerLife {
  account: SimulatedAccount;
  habits: Habits;
  seed: number;
  /** How long it lasts, and how often snapshots are taken and bills are read. Hours. */
  hours: number;
  everyHours: number;
}

/** One change of a balance: `wallet coin`, and when, which entry, and the balance after it. */
type Changes = Map<string, string[]>;

/** Collects a life. Times have the minute 20, where no funding is booked. */
export async function collectLife({ account, habits, seed, hours, everyHours }: LedgerLife): Promise<World> {
  const [first, end] = [Date.parse("2026-07-01T00:20:00Z"), Date.parse("2026-07-01T00:20:00Z") + hours * hour];
  const pattern = "20 * * * *";
  const world = await createWorld(
    new Date(first - minute).toISOString(),
    {
      SCHEDULE_SPOT_ASSETS: pattern,
      SCHEDULE_FUNDING_ASSETS: pattern,
      SCHEDULE_MIX_ACCOUNTS: pattern,
      SCHEDULE_BILLS: pattern,
      SCHEDULE_WITHDRAWALS: pattern,
      ...credentials(account),
    },
    { accounts: [account], seed, from: first - hour, habits: { hasCashFlows: true, ...habits } },
  );
  for (let at = first; at <= end; at += everyHours * hour) await world.at(at);
  return world;
}

/** Every change that the exchange lists by now, in its order; balances as it sends them. */
function trueChanges(exchange: Simulator, { name, mode }: SimulatedAccount, now: number): Changes {
  // Classic accounts have no list for the funding wallet, and demo money has none.
  const isListed = (wallet: string) => mode === "unified" || !/^(funding|s.mcbl)$/.test(wallet);
  const listed = exchange
    .ledgerOf(name)
    .filter(({ wallet, at, visibleAt }) => at <= now && visibleAt <= now && isListed(wallet));
  return changesOf(
    listed.map(({ wallet, coin, at, id, balance }) => {
      const isPadded = wallet === "spot" || wallet === "funding";
      return { wallet, coin, at, id, balance: isPadded ? padded(balance) : balance };
    }),
  );
}

interface Change {
  wallet: string;
  coin: string;
  at: number;
  id: string;
  balance: string;
}

const changesOf = (all: readonly Change[]): Changes => {
  const changes: Changes = new Map();
  for (const { wallet, coin, at, id, balance } of all) {
    const chain = changes.get(`${wallet} ${coin}`) ?? [];
    changes.set(`${wallet} ${coin}`, chain);
    chain.push(`${new Date(at).toISOString()} ${id} ${balance}`);
  }
  return changes;
};

/** Some lists have at least eight places. */
function padded(digits: string): string {
  const [whole, fraction = ""] = digits.split(".");
  return `${whole}.${fraction.padEnd(8, "0")}`;
}

/** The rebuilt balances of a file, in order. */
function rebuiltChanges(path: string): Changes {
  const rows = query(
    path,
    `select wallet, coin, at, bill_id as id, balance from wallet_balances where source = 'bill'
     order by wallet, coin, at_ms, position, length(bill_id), bill_id`,
  );
  return changesOf(rows.map((row) => ({ ...(row as unknown as Change), at: Date.parse(String(row.at)) })));
}

/** Deletes three in ten of the snapshots of balances in a copy of a file, and reconciles it again. Returns its path. */
async function withoutSnapshots(path: string, seed: number, now: number): Promise<string> {
  const copy = `${path}.${seed}`;
  const source = new Database(path);
  source.pragma("wal_checkpoint(truncate)");
  source.close();
  copyFileSync(path, copy);
  const database = new Database(copy);
  database.pragma("foreign_keys = OFF");
  const chance = random(seed);
  const balances = database
    .prepare<[], number>(
      `select n.id from snapshot n join scope p on p.id = n.scope_id join series e on e.id = p.series_id
       where e.dataset in ('spot-assets', 'funding-assets', 'mix-accounts') order by n.id`,
    )
    .pluck()
    .all();
  const drawn = balances
    .map((id) => ({ id, draw: chance.integer(0, 1_000_000) }))
    .sort((one, other) => one.draw - other.draw);
  const deleted = drawn.slice(0, Math.ceil(0.3 * balances.length));
  const remove = database.prepare("delete from snapshot where id = ?");
  database.transaction(() => {
    for (const { id } of deleted) remove.run(id);
  })();
  database.close();
  await reconcileFile(copy, { now, isFull: true });
  return copy;
}

/** Compares a life with the exchange's record: as it was collected, without some of its snapshots, and with one other digit. Returns the number of changes. */
export async function expectRebuilt(
  world: World,
  account: SimulatedAccount,
  seeds: readonly number[],
): Promise<number> {
  const now = world.clock.now();
  const truth = trueChanges(world.exchange, account, now);
  expect(rebuiltChanges(world.path)).toEqual(truth);
  for (const seed of seeds) {
    const copy = await withoutSnapshots(world.path, seed, now);
    expect(rebuiltChanges(copy), `seed ${seed}`).toEqual(truth);
    const bad = "verdict not in ('proven', 'rounded', 'open', 'unprovable')";
    expect(query(copy, `select wallet, coin, verdict, cause from reconciliation where ${bad}`)).toEqual([]);
    const one =
      "select bill_id from bills_record where scope_id = (select min(scope_id) from bills_record) limit 1 offset 20";
    expect(
      change(copy, `update bills_record set balance = cast(balance || x'1f' as blob) where bill_id = (${one})`),
    ).toBe(1);
    expect(rebuiltChanges(copy), "with another digit").not.toEqual(truth);
  }
  return [...truth.values()].reduce((all, { length }) => all + length, 0);
}
