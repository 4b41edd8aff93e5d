/** `db verify` recomputes the reconciliation of the exchange's ledger: it accepts what the program stored, and finds every altered cell. */
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { runToEnd } from "../../../src/core/async/cooperate.ts";
import { normalize } from "../../../src/core/decimal.ts";
import { datasets } from "../../../src/datasets/index.ts";
import type { Sqlite } from "../../../src/store/sqlite/database.ts";
import { checkLedger } from "../../../src/store/verify/ledger/check-ledger.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { classic, credentials, unified } from "../../support/settings.ts";
import { createWorld, type World } from "../../support/world.ts";

const hour = 3_600_000;
const start = Date.parse("2026-10-20T10:00:00Z");
const every = "*/30 * * * *";
const settings = {
  SCHEDULE_SPOT_ASSETS: every,
  SCHEDULE_FUNDING_ASSETS: every,
  SCHEDULE_MIX_ACCOUNTS: every,
  SCHEDULE_BILLS: "*/20 * * * *",
  SCHEDULE_WITHDRAWALS: "7 * * * *",
};

/** Returns what the check of the reconciliation alone reports. */
function problemsIn(sqlite: Sqlite): string[] {
  const all: string[] = [];
  runToEnd(checkLedger(sqlite, (problem) => all.push(problem), []));
  return all;
}

function problems({ path }: World): string[] {
  const sqlite = new Database(path, { readonly: true });
  try {
    return problemsIn(sqlite);
  } finally {
    sqlite.close();
  }
}

/** Records hours in which a list is refused, an entry is missing for a while, and nothing runs; every run is verified. */
async function live(account: typeof classic): Promise<World> {
  const world = await createWorld(
    "2026-10-20T09:59:30Z",
    { ...settings, ...credentials(account) },
    { accounts: [account], from: start - 30 * hour, habits: { hasCashFlows: true, activity: 48, places: 10 } },
  );
  const run = async (from: number, hours: number) => {
    for (let at = from; at < from + hours * hour; at += hour / 6) {
      await world.at(at);
      expect(problems(world), new Date(at).toISOString()).toEqual([]);
    }
  };
  await run(start, 1);
  const refused = account.mode === "unified" ? { category: "OTHER" } : { productType: "COIN-FUTURES" };
  world.exchange.injectFault({
    path: account.mode === "unified" ? "/api/v3/account/financial-records" : "/api/v2/mix/account/bill",
    params: refused,
    code: "40014",
    times: Number.POSITIVE_INFINITY,
  });
  await run(start + hour, 1);
  world.exchange.clearFaults();
  world.clock.advanceTo(start + 2.3 * hour);
  const hidden = world.exchange
    .ledgerOf(account.name)
    .find(({ at, coin, change }) => at > start + 2.1 * hour && coin === "USDT" && normalize(change) !== "0");
  if (!hidden) throw new Error("nothing happened");
  world.exchange.listFaults.hide(hidden.id);
  await run(start + 2.5 * hour, 1);
  await run(start + 5 * hour, 1);
  return world;
}

/** Returns other digits, or another text or number. */
function altered(column: string, type: string): string {
  // The number of entries that showed a finding when it was found: it can only be said that it is not more than show it now.
  if (column === "entries") return "1000 + entries";
  if (type === "BLOB") return `cast(x'a1b5' || ${column} as blob)`;
  return type === "TEXT" ? `${column} || '1'` : `${column} + 1`;
}

const tables = ["bill_step", "ledger_finding", "reconciled", "ledger_chain", "snapshot_balance"];

describe.each([
  ["classic", classic],
  ["unified", unified],
])("a %s account", (_, account) => {
  it("verifies after every run, and with one altered cell in any column of a derived table it does not", async () => {
    const world = await live(account);
    expect((await verify(world.path, datasets)).problems).toEqual([]);
    await world.scheduler.stop();
    const sqlite = new Database(world.path);
    sqlite.pragma("foreign_keys = OFF");
    const undetected: string[] = [];
    for (const table of tables) {
      const columns = sqlite.pragma(`table_info(${table})`) as { name: string; type: string; pk: number }[];
      const key = columns.filter(({ pk }) => pk > 0).map(({ name }) => name);
      for (const { name, type } of columns) {
        // They count the changes for copies of the tables, and say nothing about the ledger.
        if (/revision$/.test(name)) continue;
        const rows = sqlite.prepare(`select ${key} from ${table} where ${name} is not null order by 1, 2`).raw().all();
        const row = rows[Math.floor(rows.length / 2)] as unknown[] | undefined;
        if (!row) continue;
        sqlite.exec("begin");
        const where = key.map((one) => `${one} = ?`).join(" and ");
        sqlite.prepare(`update ${table} set ${name} = ${altered(name, type)} where ${where}`).run(row);
        const isNamed = problemsIn(sqlite).some((problem) => problem.includes(`(${table}`));
        sqlite.exec("rollback");
        if (!isNamed) undetected.push(`${table}.${name} of ${row}`);
      }
    }
    sqlite.close();
    expect(undetected).toEqual([]);
  });
});
