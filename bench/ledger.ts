/** Measures the exchange's ledger of one account: 50,000 entries over 12 coins in ninety days, with a snapshot an hour. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { snakeCase } from "../src/core/columns.ts";
import { add } from "../src/core/decimal.ts";
import type { Item } from "../src/core/domain.ts";
import { snapshotDatasetNamed } from "../src/datasets/index.ts";
import { bills } from "../src/datasets/ledger/bills.ts";
import type { Span } from "../src/store/history.ts";
import { reconcileFile } from "../src/store/ledger/reconcile-file.ts";
import { withHistory } from "../src/store/read/open-history.ts";
import type { Store } from "../src/store/store.ts";
import { collect, good, item, query, start, storeAt } from "../test/store/kit.ts";
import { type Comparison, compare, type Figure, median, timed } from "./figure.ts";
import { newFolder } from "./folder.ts";

const hour = 3_600_000;
const day = 24 * hour;
const days = 90;
const coinCount = 12;
const perHour = 24;
const snapshotAfterMs = 50 * 60_000;
const spotAssets = snapshotDatasetNamed("spot-assets");
const noCells = Object.fromEntries(Object.keys(bills.columns).map((name) => [name, null]));

export const ledger: Figure = {
  name: "ledger",
  summary: "50,000 entries of the exchange's ledger over 12 coins: reconciliation, size, a month of history",
  async run() {
    const folder = newFolder();
    const path = join(folder, "collector.db");
    const store = await storeAt(path);
    try {
      return await measure(path, store);
    } finally {
      store.close();
      rmSync(folder, { recursive: true });
    }
  },
};

async function measure(path: string, store: Store): Promise<Comparison[]> {
  const life = newLife();
  const batches: { at: number; items: Item[] }[] = [];
  for (let at = start; at < start + days * day; at += day) {
    const items: Item[] = [];
    for (let time = at; time < at + day; time += hour) {
      items.push(...life.entries(time));
      // Not at a full hour, when funding is being booked and nothing is settled.
      const slot = time + snapshotAfterMs;
      await collect(store, spotAssets, slot, { snapshots: [good(life.balances(), slot)] });
    }
    batches.push({ at: at + day, items });
  }
  const end = start + days * day;
  const before = sizeOf(path);
  for (const { at, items } of batches) await collectBills(store, at, items);
  const count = batches.reduce((all, { items }) => all + items.length, 0);
  const bytes = (sizeOf(path) - before) / count;
  const now = end;
  const startedAt = performance.now();
  await reconcileFile(path, { now, isFull: true });
  const full = performance.now() - startedAt;
  const steps: number[] = [];
  for (let n = 0; n < 15; n++) {
    const at = end + n * 300_000;
    await collectBills(store, at + 60_000, life.entries(at, 1));
    const began = performance.now();
    await store.ledger?.reconcile("main", at + 60_000);
    steps.push(performance.now() - began);
  }
  const month = { from: end - 30 * day, to: end };
  const read = () => withHistory(path, (history) => lengthOf(history.rows(bills, { account: "main" }, month)));
  const months = Array.from({ length: 5 }, () => timed(read));
  const plain = plainTable(path, month);
  return [
    compare(`reconciliation of ${count} entries`, full, "ms", "required", 2000),
    compare("reconciliation of a new entry, median", median(steps), "ms", "required", 5),
    compare("database per entry, with its index", bytes, "bytes", "required", 120),
    compare("database per entry, with its index", bytes, "bytes", "a plain table of text", plain.bytes),
    compare("a month of `history bills`, median", median(months), "ms", "required", 50),
    compare("a month of `history bills`, median", median(months), "ms", "rows of a plain table", plain.monthMs),
  ];
}

/** Copies the columns of the entries into one table of text with two indexes, and measures its size an entry and reading a span of it. */
function plainTable(path: string, { from, to }: Span): { bytes: number; monthMs: number } {
  const sqlite = new Database(`${path}-plain`);
  try {
    const columns = ["account", "wallet", ...Object.keys(bills.columns).map(snakeCase)];
    sqlite.prepare("attach ? as collector").run(path);
    sqlite.exec(`create table plain (${columns.map((column) => `${column} text`).join(", ")})`);
    sqlite.exec("create unique index plain_id on plain (account, wallet, bill_id)");
    sqlite.exec("create index plain_time on plain (account, at)");
    const { changes } = sqlite.prepare(`insert into plain select ${columns.join(", ")} from collector.bills`).run();
    const month = sqlite
      .prepare(
        "select * from plain where account = 'main' and at >= ? and at < ? order by at, length(bill_id), bill_id",
      )
      .raw();
    const span = [from, to].map((instant) => new Date(instant).toISOString());
    const times = Array.from({ length: 5 }, () => timed(() => lengthOf(month.iterate(span))));
    return { bytes: sizeOf(`${path}-plain`) / changes, monthMs: median(times) };
  } finally {
    sqlite.close();
  }
}

function lengthOf(rows: Iterable<unknown>): number {
  let length = 0;
  for (const _ of rows) length += 1;
  return length;
}

const collectBills = (store: Store, at: number, items: Item[]) =>
  collect(store, bills, at, {
    snapshots: [{ scope: "spot", takenAt: at, items, reading: { through: at, window: null, hole: null } }],
  });

function sizeOf(path: string): number {
  const [found] = query(path, "select page_count * page_size as size from pragma_page_count, pragma_page_size");
  return Number(found?.size);
}

/** Returns coins whose balances change, with an entry for each change. */
function newLife() {
  const balances = Array.from({ length: coinCount }, () => "1000");
  let number = 0;
  return {
    balances: () =>
      balances.map((available, n) => item(spotAssets, { coin: `COIN${n}`, available, frozen: "0", locked: "0" })),
    entries: (from: number, count = perHour): Item[] =>
      Array.from({ length: count }, (_, n) => {
        const coin = number % coinCount;
        const amount = `${number % 2 ? "-" : ""}${1 + (number % 7)}.${String(number % 99_999_999).padStart(8, "1")}`;
        balances[coin] = add(balances[coin] ?? "0", amount);
        const at = from + 1000 + n * 100_000;
        const billId = String((BigInt(at - 1_435_725_920_677) << 22n) + BigInt(number));
        number += 1;
        const cells = {
          coin: `COIN${coin}`,
          billId,
          at,
          type: "ORDER_DEALT_IN",
          amount,
          fee: "0",
          balance: balances[coin] ?? null,
        };
        return { row: { ...noCells, ...cells, symbol: "BTCUSDT", orderId: billId }, extra: null };
      }),
  };
}
