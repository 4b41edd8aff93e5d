/** A history that another version reconciled by other rules: it is reconciled again by itself, as a whole, however often that is interrupted. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { getTableName } from "drizzle-orm";
import { expect, it } from "vitest";
import { datasets } from "../../../src/datasets/index.ts";
import { rulesVersion } from "../../../src/reconciliation/verdict.ts";
import { reconcileFile } from "../../../src/store/ledger/reconcile-file.ts";
import { ledgerTables } from "../../../src/store/schema/derived/ledger-tables.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { storeLedger } from "../../support/ledger-history.ts";
import { change, query } from "../kit.ts";
import { child, older, open, temporaryPath } from "../temporary.ts";

const now = Date.parse("2026-11-13T12:30:00Z");

/** Returns what is reconciled, without the times of passes. */
const reconciliation = (path: string) =>
  ledgerTables.map((table) =>
    query(path, `select * from ${getTableName(table)}`).map(
      ({ revision: _revision, full_revision: _full, ...row }) => row,
    ),
  );

async function reconciledHistory(): Promise<string> {
  const path = temporaryPath();
  await storeLedger(path);
  return path;
}

const otherRules = "update ledger_chain set settled_at = 0 where wallet = ''";
/** What other rules may have stored. */
const otherVerdicts = [
  "update reconciled set verdict = iif(verdict = 'break', 'proven', 'break')",
  "update bill_step set change = x'1b5f'",
  "update ledger_finding set convention = 'amount'",
  "update position_result set verdict = 'gap', is_final = 1",
  "insert into ledger_chain (account_id, wallet, coin, bills_through) values (1, 'cash', 'USDT', 1)",
];

const outdated = async (path: string) => {
  const { problems, outdated } = await verify(path, datasets);
  return { problems, outdated };
};

it("the same rules give the same reconciliation; with other rules, `rulesVersion` is the next number", async () => {
  const old = older("0012");
  await open(old);
  await reconcileFile(old, { now });
  const all = [await reconciledHistory(), old].map(reconciliation);
  const digest = createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 16);
  expect({ rulesVersion, digest }).toEqual({ rulesVersion: 1, digest: "62c14eb59b049536" });
});

it("is no damage, and the next pass reconciles all of it, whichever coin is asked for", async () => {
  const path = await reconciledHistory();
  const before = reconciliation(path);
  expect(await outdated(path)).toEqual({ problems: [], outdated: [] });
  for (const sql of otherVerdicts) change(path, sql);
  expect((await verify(path, datasets)).problems).not.toEqual([]);
  change(path, otherRules);
  expect(await outdated(path)).toEqual({ problems: [], outdated: ["main"] });
  await reconcileFile(path, { now, wallet: "spot", coin: "BTC" });
  expect(reconciliation(path)).toEqual(before);
  expect(await outdated(path)).toEqual({ problems: [], outdated: [] });
});

it("is complete after full passes that were killed between their transactions, and no damage until then", async () => {
  const path = await reconciledHistory();
  const before = reconciliation(path);
  for (const sql of otherVerdicts) change(path, sql);
  for (let transactions = 1; ; transactions += 3) {
    const [code, signal] = await once(child("reconciler", path, String(transactions + 1)), "exit");
    if (code === 0) {
      expect(transactions).toBeGreaterThan(5);
      break;
    }
    expect(signal).toBe("SIGKILL");
    expect(await outdated(path)).toEqual({ problems: [], outdated: ["main"] });
  }
  expect(reconciliation(path)).toEqual(before);
  expect(await outdated(path)).toEqual({ problems: [], outdated: [] });
});

it("a pass that begins during another one does not take from it what it found", async () => {
  const path = await reconciledHistory();
  const before = reconciliation(path);
  const store = await open(path);
  for (let turns = 0; turns < 6; turns++) {
    for (const sql of [...otherVerdicts, otherRules]) change(path, sql);
    const first = store.ledger?.reconcile("main", now);
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    const second = store.ledger?.reconcile("main", now);
    await first;
    expect(reconciliation(path), String(turns)).toEqual(before);
    await second;
  }
});
