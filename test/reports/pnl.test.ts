/** The report of what changed the equity: of simulated accounts, and of small histories. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { add, isZero } from "../../src/core/decimal.ts";
import type { Item, RecordBatch, Scope } from "../../src/core/domain.ts";
import type { AnyDataset } from "../../src/datasets/incremental.ts";
import { bills } from "../../src/datasets/ledger/bills.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { mixAccounts } from "../../src/datasets/snapshots/mix-accounts.ts";
import { prices } from "../../src/datasets/snapshots/prices.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { formats } from "../../src/reports/formats/index.ts";
import { reconcileFile } from "../../src/store/ledger/reconcile-file.ts";
import type { Store } from "../../src/store/store.ts";
import { collect, failed, start } from "../store/kit.ts";
import { open, temporaryPath } from "../store/temporary.ts";
import { rowOf } from "../support/rows.ts";
import { unbalanced } from "./format-sums.ts";
import { days, hour, lines, reportRows, storeRun } from "./kit.ts";
import { coinDays } from "./ledger-days.ts";
import { expectBooks } from "./month-books.ts";
import { expectExplained, type Life, live, type Row } from "./pnl-life.ts";

describe("a month of a classic account, which is upgraded, and of a unified one", () => {
  let life: Life;
  beforeAll(async () => {
    life = await live(31, 16);
  });
  afterAll(() => life.close());

  it("is explained to the last digit on every day, but those on which the account was upgraded", () => {
    const explained = expectExplained(life);
    const missing = life.byDay.filter((row) => !explained.includes(row));
    expect(lines(missing, "day", "account", "unknown")).toEqual([
      "2026-01-01 main the equity at the beginning",
      "2026-01-01 hedge the equity at the beginning",
      "2026-01-16 main spot: bills were not collected",
      "2026-01-17 main spot: bills were not collected",
    ]);
    expect(explained.some(({ flows }) => flows !== "0")).toBe(true);
  });

  it("is explained coin by coin: opening and ledger are the closing of every day", () => {
    const all = coinDays(life.path, Date.parse("2026-01-01"), 31);
    expect(all.filter(({ unexplained }) => !isZero(unexplained))).toEqual([]);
    expect(all.length).toBe(1097);
  });

  it("is in the files for tax programs coin by coin, but for what they name", () => {
    const month = { from: Date.parse("2026-01-01"), to: Date.parse("2026-02-01") };
    for (const account of ["main", "hedge"])
      for (const format of formats) expect(unbalanced(life.path, format, month, account)).toEqual([]);
  });

  it("has books: each report to the last byte, and a statement of each account", () => {
    expectBooks(life.path, "2026-01", ["main", "hedge"]);
  });

  it("has the same flows and results in its returns", () => {
    const of = ({ day, account, flows, opening_at, closing_at }: Row, result: string) =>
      [day, account, opening_at, closing_at, flows, result].join(" ");
    const explained = expectExplained(life);
    const profits = explained.map((row) => of(row, add(String(row.profit), String(row.unexplained))));
    const found = life.returnsByDay.filter(({ time_weighted, day }) => time_weighted !== null && day !== "total");
    expect(found.map((row) => of(row, String(row.result))).sort()).toEqual(profits.sort());
    expect(found.filter(({ flows }) => flows !== "0").length).toBeGreaterThan(20);
    expect(lines(life.returnsByDay, "day", "account", "unknown").filter((line) => !line.endsWith("-"))).toEqual([
      "2026-01-01 main there is only one snapshot",
      "2026-01-16 main spot: bills were not collected",
      "2026-01-17 main spot: bills were not collected",
      "total main spot: bills were not collected",
      "2026-01-01 hedge there is only one snapshot",
    ]);
  });
});

const day = 24 * hour;
/** Noon of a day of November, from 1 on. */
const noon = (date: number) => start + (date - 1) * day + 12 * hour;
const report = (path: string, last: number, more = {}) =>
  reportRows(path, "pnl", days("2026-11-01", `2026-11-0${last + 1}`), more);

/** An account with USDT and BTC, read at noon. */
class Account {
  readonly path = temporaryPath();
  #store!: Store;
  #entries = 0;
  #balances: Record<string, number> = { "spot USDT": 1000, "umcbl USDT": 500, "spot BTC": 0 };

  async open(scheduled: readonly AnyDataset[]): Promise<void> {
    this.#store = await open(this.path);
    for (const dataset of scheduled) await this.#store.setSchedule("main", dataset.name, "0 12 * * *", start);
    await this.#store.setSchedule("public", prices.name, "0 12 * * *", start);
  }

  /** Adds an entry some hours before noon. Whole amounts only. */
  entry(date: number, hours: number, scope: "spot" | "umcbl", type: string, amount: number, coin = "USDT"): Item {
    const key = `${scope} ${coin}`;
    const balance = (this.#balances[key] ?? 0) + amount;
    this.#balances[key] = balance;
    this.#entries += 1;
    const billId = String(1000 + this.#entries);
    const cells = { billId, coin, at: noon(date) - hours * hour, type, groupType: "", fee: "0" };
    return { row: rowOf(bills, { ...cells, amount: String(amount), balance: String(balance) }), extra: null };
  }

  /** Stores what a day's requests show. */
  async day(
    date: number,
    items: Partial<Record<"spot" | "umcbl", Item[]>> = {},
    without: string[] = [],
  ): Promise<void> {
    const slot = noon(date);
    const { "spot USDT": spot = 0, "umcbl USDT": futures = 0, "spot BTC": btc = 0 } = this.#balances;
    const price = 100 * date;
    const none = { available: "0", frozen: "0", locked: "0" };
    const [spotUsdt, futuresUsdt] = [spot + btc * price, futures + 7 * date];
    const rows = [
      { coin: "USDT", ...none, available: String(spot) },
      { coin: "BTC", ...none, available: String(btc) },
    ];
    const account = {
      marginCoin: "USDT",
      available: `${futures}`,
      equity: `${futuresUsdt}`,
      unrealizedPl: `${7 * date}`,
    };
    const values = { spotUsdt: `${spotUsdt}`, futuresUsdt: `${futuresUsdt}`, fundingUsdt: "40", otherUsdt: "40" };
    await storeRun(this.#store, spotAssets, slot, rows);
    if (!without.includes("futures")) await storeRun(this.#store, mixAccounts, slot, [account], "umcbl");
    if (!without.includes("prices"))
      await storeRun(this.#store, prices, slot, [{ coin: "BTC", quote: "USDT", price: String(price) }]);
    if (without.includes("equity")) await collect(this.#store, equity, slot, { failures: [failed("timeout", slot)] });
    else
      await storeRun(this.#store, equity, slot, [
        { ...values, usdtEquity: `${spotUsdt + futuresUsdt + 40}`, complete: without.includes("part") ? 0 : 1 },
      ]);
    const batch = (scope: Scope, own: Item[] = []): RecordBatch => ({
      ...{ scope, takenAt: slot, items: own },
      reading: { through: slot + 1, window: null, hole: null },
    });
    const snapshots = [batch("spot", items.spot), batch("umcbl", items.umcbl)];
    if (without.includes("bills"))
      await collect(this.#store, bills, slot, {
        failures: [failed("40014", slot, "spot"), failed("40014", slot, "umcbl")],
      });
    else await collect(this.#store, bills, slot, { snapshots });
    await reconcileFile(this.path, { now: slot + day });
  }
}

async function newAccount(
  scheduled: readonly AnyDataset[] = [spotAssets, mixAccounts, equity, bills],
): Promise<Account> {
  const account = new Account();
  await account.open(scheduled);
  await account.day(1, {}, scheduled.includes(mixAccounts) ? [] : ["futures"]);
  return account;
}

const columns = ["day", "change", "profit", "flows", "realized", "unrealized", "prices", "other", "unexplained"];

describe("a day", () => {
  it("with a deposit has a higher equity, and no more profit", async () => {
    const account = await newAccount();
    await account.day(2, { spot: [account.entry(2, 3, "spot", "deposit", 9000)] });
    const [, row] = report(account.path, 2);
    expect(lines(row ? [row] : [], ...columns)).toEqual(["2026-11-02 9007 7 9000 0 7 0 0 0"]);
    // Noon is in the next day of Auckland.
    const local = reportRows(account.path, "pnl", days("2026-11-02", "2026-11-02T12:00:00Z", "Pacific/Auckland"));
    expect(lines(local.slice(-1), "day", "flows", "closing_at")).toEqual(["2026-11-03 9000 2026-11-02T12:00:00.000Z"]);
  });

  it("with a transfer between its wallets has no flows", async () => {
    const account = await newAccount();
    const spot = [account.entry(2, 3, "spot", "transfer_out", -400)];
    await account.day(2, { spot, umcbl: [account.entry(2, 2.99, "umcbl", "trans_from_exchange", 400)] });
    expect(lines(report(account.path, 2).slice(1), ...columns)).toEqual(["2026-11-02 7 7 0 0 7 0 0 0"]);
  });

  it("that ends while a transfer is on its way shows it, and so does the next one", async () => {
    const account = await newAccount();
    const spot = [account.entry(2, 0, "spot", "transfer_out", -400)];
    await account.day(2, { spot });
    await account.day(3, { umcbl: [account.entry(3, 23.999, "umcbl", "trans_from_exchange", 400)] });
    expect(lines(report(account.path, 3).slice(1), ...columns)).toEqual([
      "2026-11-02 -393 7 -400 0 7 0 0 0",
      "2026-11-03 407 7 400 0 7 0 0 0",
    ]);
  });

  it("with a trade has its result, and the price from then on", async () => {
    const account = await newAccount();
    const bought = [account.entry(2, 3, "spot", "buy", -300), account.entry(2, 3, "spot", "buy", 2, "BTC")];
    await account.day(2, { spot: bought });
    await account.day(3);
    // Two coins for 300 that were worth 200 each, and 300 each on the next day.
    expect(lines(report(account.path, 3).slice(1), ...columns)).toEqual([
      "2026-11-02 107 107 0 100 7 0 0 0",
      "2026-11-03 207 207 0 0 7 200 0 0",
    ]);
  });

  it("with an entry that is missing says what nothing explains", async () => {
    const account = await newAccount();
    account.entry(2, 3, "spot", "deposit", 250);
    await account.day(2);
    expect(lines(report(account.path, 2).slice(1), ...columns)).toEqual(["2026-11-02 257 7 0 0 7 0 0 250"]);
  });
});

describe("is empty where something is unknown", () => {
  it("a part of the equity", async () => {
    const account = await newAccount();
    await account.day(2, {}, ["part"]);
    await account.day(3);
    await account.day(4);
    expect(lines(report(account.path, 4).slice(1), ...columns, "unknown")).toEqual([
      "2026-11-02 - - 0 0 - - - - the equity at the end",
      "2026-11-03 - - 0 0 - - - - the equity at the beginning",
      "2026-11-04 7 7 0 0 7 0 0 0 -",
    ]);
  });

  it("the equity for more than two periods", async () => {
    const account = await newAccount();
    for (const date of [2, 3, 4]) await account.day(date, {}, ["equity"]);
    await account.day(5);
    expect(lines(report(account.path, 5).slice(1), ...columns, "unknown", "closing_at")).toEqual([
      // The last equity is current for two periods of its schedule; the change until then is nothing.
      "2026-11-02 0 0 0 0 0 0 0 0 - 2026-11-01T12:00:00.000Z",
      "2026-11-03 - - 0 0 - - - - the equity at the end -",
      "2026-11-04 - - 0 0 - - - - the equity at the beginning -",
      "2026-11-05 - - 0 0 - - - - the equity at the beginning 2026-11-05T12:00:00.000Z",
    ]);
  });

  it("the ledger", async () => {
    const account = await newAccount();
    await account.day(2);
    const missed = account.entry(3, 3, "spot", "deposit", 250);
    await account.day(3, {}, ["bills"]);
    const found = report(account.path, 3);
    expect(lines(found.slice(2), ...columns, "unknown")).toEqual(["2026-11-03 257 - - - 7 - 0 250 spot: 40014"]);
    // It is read later.
    await account.day(4, { spot: [missed] });
    expect(lines(report(account.path, 4).slice(2), ...columns, "unknown")).toEqual([
      "2026-11-03 257 7 250 0 7 0 0 0 -",
      "2026-11-04 7 7 0 0 7 0 0 0 -",
    ]);
  });

  it("a dataset that is not collected", async () => {
    const account = await newAccount([spotAssets, equity, bills]);
    await account.day(2, {}, ["futures"]);
    expect(lines(report(account.path, 2).slice(1), ...columns, "unknown")).toEqual([
      "2026-11-02 7 - 0 0 - - 0 7 the balances in mix-accounts",
    ]);
  });

  it("a price", async () => {
    const account = await newAccount();
    await account.day(2, { spot: [account.entry(2, 3, "spot", "buy", 2, "BTC")] });
    for (const date of [3, 4, 5]) await account.day(date, {}, ["prices"]);
    expect(lines(report(account.path, 5).slice(1), ...columns, "unknown")).toEqual([
      "2026-11-02 407 407 0 400 7 0 0 0 -",
      // The price of the day before the last one that is recorded is near enough.
      "2026-11-03 207 7 0 0 7 0 0 200 -",
      "2026-11-04 207 7 0 0 7 0 0 200 -",
      "2026-11-05 207 - 0 0 7 - 0 200 the price of BTC",
    ]);
  });
});
