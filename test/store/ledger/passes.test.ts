/** Passes of the reconciliation over small ledgers, while other runs are stored. */
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import type { Item } from "../../../src/core/domain.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { bills } from "../../../src/datasets/ledger/bills.ts";
import { reconcileFile } from "../../../src/store/ledger/reconcile-file.ts";
import { Reconciler } from "../../../src/store/ledger/reconciler.ts";
import type { SqliteStore } from "../../../src/store/open.ts";
import { collect, failed, good, item, minute, query, start } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";

const hour = 60 * minute;
const day = 24 * hour;
const spotAssets = snapshotDatasetNamed("spot-assets");

const entry = (billId: string, at: number, amount: string, balance: string): Item => ({
  row: {
    ...Object.fromEntries(Object.keys(bills.columns).map((name) => [name, null])),
    ...{ coin: "BTC", billId, at, type: "ORDER_DEALT_IN", amount, fee: "0", balance },
  },
  extra: null,
});

const collectBills = (store: SqliteStore, slot: number, items: Item[]) =>
  collect(store, bills, slot, {
    snapshots: [{ scope: "spot", takenAt: slot, items, reading: { through: slot, window: null, hole: null } }],
  });

const collectBalance = (store: SqliteStore, slot: number, available: string) =>
  collect(store, spotAssets, slot, {
    snapshots: [good([item(spotAssets, { coin: "BTC", available, frozen: "0", locked: "0" })], slot)],
  });

const verdicts = (path: string) =>
  query(path, "select verdict, residual, entries from reconciliation order by from_at");

it("a coin of which nothing is left goes on: it is proven further, and a gap where bills are refused", async () => {
  const path = temporaryPath();
  const store = await open(path);
  const at = start + 10 * minute;
  const now = at + 4 * day;
  const stretches = () => query(path, "select verdict, cause, to_at_ms as until from reconciliation order by from_at");
  await collectBalance(store, at, "1");
  await collectBills(store, at + hour, [entry("1", at + 30 * minute, "-1", "0")]);
  for (const days of [1, 2]) {
    await collectBalance(store, at + days * day, "0");
    await collectBills(store, at + days * day, []);
    await reconcileFile(path, { now });
    expect(stretches()).toEqual([{ verdict: "proven", cause: null, until: at + days * day }]);
  }
  await collect(store, bills, at + 3 * day, { failures: [failed("40014", at + 3 * day, "spot")] });
  await collectBalance(store, at + 3 * day, "0");
  await reconcileFile(path, { now });
  expect(stretches()).toEqual([
    { verdict: "proven", cause: null, until: at + 2 * day },
    { verdict: "gap", cause: "40014", until: at + 3 * day },
  ]);
});

it("balances that the ledger proves are not shown again by a snapshot where a gap begins", async () => {
  const path = temporaryPath();
  const store = await open(path);
  const at = start + 10 * minute;
  await collectBills(store, at, [entry("1", at - hour, "1", "1")]);
  await collectBalance(store, at, "1");
  await reconcileFile(path, { now: at + day });
  await collect(store, bills, at + hour, { failures: [failed("40014", at + hour, "spot")] });
  await collectBalance(store, at + hour, "3");
  const shown = () => query(path, "select balance, source from wallet_balances order by at_ms");
  for (const isFull of [false, true]) {
    await reconcileFile(path, { now: at + day, isFull });
    expect(shown()).toEqual([
      { balance: "1", source: "bill" },
      { balance: "3", source: "snapshot" },
    ]);
  }
});

it("an entry that is stored during a pass is taken into account by the next one", async () => {
  const path = temporaryPath();
  const store = await open(path);
  const at = start + 10 * minute;
  await collectBalance(store, at, "10");
  await collectBalance(store, at + hour, "12");
  await collectBills(store, at + 3 * hour, [entry("2", at + 20 * minute, "1", "12")]);
  await collectBalance(store, at + 2 * hour, "12");
  const sqlite = new Database(path);
  let meanwhile = async () => {};
  const reconciler = new Reconciler(sqlite, async (work) => {
    await meanwhile();
    meanwhile = async () => {};
    return sqlite.transaction(work).immediate();
  });
  const now = at + 4 * hour;
  await reconciler.reconcile({ now });
  expect(verdicts(path)).toContainEqual({ verdict: "break", residual: "1", entries: 1 });
  meanwhile = async () => void (await collectBills(store, now, [entry("1", at + 10 * minute, "1", "11")]));
  await reconciler.reconcile({ now });
  await reconciler.reconcile({ now });
  expect(verdicts(path)).toEqual([{ verdict: "proven", residual: "0", entries: 2 }]);
  sqlite.close();
});
