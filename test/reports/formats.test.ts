/** The ledger in the import formats of tax programs, against files that were read and checked by hand. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { add } from "../../src/core/decimal.ts";
import type { Item, RecordBatch, Scope } from "../../src/core/domain.ts";
import { bills } from "../../src/datasets/ledger/bills.ts";
import { mixAccounts } from "../../src/datasets/snapshots/mix-accounts.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { formats } from "../../src/reports/formats/index.ts";
import { reconcileFile } from "../../src/store/ledger/reconcile-file.ts";
import { collect, good, start } from "../store/kit.ts";
import { open, temporaryPath } from "../store/temporary.ts";
import { runInProcess } from "../support/in-process.ts";
import { rowOf } from "../support/rows.ts";
import { unbalanced } from "./format-sums.ts";
import { hour, storeRun } from "./kit.ts";

const minute = 60_000;
const golden = join(import.meta.dirname, "golden");

/** Minute, type, coin, amount, fee, and the order or the symbol. */
type Given = [at: number, type: string, coin: string, amount: string, fee: string, of?: string];

const spot: Given[] = [
  [0, "deposit", "USDT", "1000", "0"],
  // Two fills of one order.
  [1, "BUY", "BTC", "0.004", "-0.000004", "11"],
  [1, "BUY", "USDT", "-240.00", "0", "11"],
  [1, "BUY", "BTC", "0.001", "-0.000001", "11"],
  [1, "BUY", "USDT", "-60.5", "0", "11"],
  [2, "ORDER_EXCHANGE_OUT", "USDT", "-20", "0", "12"],
  [2, "ORDER_EXCHANGE_IN", "BGB", "4", "0", "12"],
  // A fee in a third coin.
  [3, "SELL", "USDT", "65", "0", "13"],
  [3, "SELL", "BTC", "-0.001", "0", "13"],
  [3, "DEDUCTION_HANDLING_FEE", "BGB", "-0.01", "0", "13"],
  [4, "WITHDRAW", "USDT", "-100", "-1.5"],
  // To the futures account, and to a bot.
  [5, "transfer_out", "USDT", "-200", "0"],
  [6, "transfer_out", "USDT", "-50", "0"],
  [7, "AIRDROP_REWARDS", "rTOWN", "1.5", "0"],
  [8, "rebate_rewards", "USDT", "0.12", "0"],
  [9, "SEASON_GIFT_USER_IN", "USDT", "3", "0"],
  [10, "interest", "USDT", "-0.01", "0"],
  [11, "borrow", "USDT", "30", "0"],
  [12, "repay", "USDT", "-30", "0"],
  // The other side is missing.
  [13, "BUY", "BTC", "0.002", "0", "14"],
  // Several coins at once.
  [14, "small_exchange_user_out", "rTOWN", "-1", "0", "15"],
  [14, "small_exchange_user_out", "BTC", "-0.0001", "0", "15"],
  [14, "small_exchange_user_in", "BGB", "2", "0", "15"],
];

const usdt: Given[] = [
  [5, "trans_from_exchange", "USDT", "200", "0"],
  [20, "open_long", "USDT", "0", "-0.6", "BTCUSDT"],
  [21, "append_margin", "USDT", "10", "0", "BTCUSDT"],
  [22, "contract_settle_fee", "USDT", "-0.25", "0", "BTCUSDT"],
  [23, "contract_settle_fee", "USDT", "0.3", "0", "BTCUSDT"],
  [24, "close_long", "USDT", "25.5", "-0.7", "BTCUSDT"],
  [25, "force_close_long", "USDT", "-40", "-1", "ETHUSDT"],
];

const inverse: Given[] = [
  [5, "trans_from_strategy", "BTC", "0.01", "0"],
  [26, "close_short", "BTC", "0.0015", "-0.00001", "BTCUSD"],
];

let serial = 1000;

/** Returns the entries with the balance after each. */
function items(of: readonly Given[]): Item[] {
  const balances = new Map<string, string>();
  return of.map(([at, type, coin, amount, fee, order = null]) => {
    serial += 1;
    const change = type === "append_margin" ? "0" : add(amount, fee);
    balances.set(coin, add(balances.get(coin) ?? "0", change));
    const isSpot = of === spot;
    const cells = { billId: `${serial}`, at: start + at * minute, type, coin, amount, fee, groupType: "" };
    const links = { orderId: isSpot ? order : null, symbol: isSpot ? null : order };
    return { row: rowOf(bills, { ...cells, ...links, balance: balances.get(coin) ?? "0" }), extra: null };
  });
}

let path: string;

beforeEach(async () => {
  path = temporaryPath();
  serial = 1000;
  const store = await open(path);
  for (const dataset of [bills, spotAssets, mixAccounts])
    await store.setSchedule("main", dataset.name, "0 * * * *", start - hour);
  await storeRun(store, spotAssets, start, []);
  await collect(store, mixAccounts, start, { snapshots: [good([], start, "umcbl"), good([], start, "dmcbl")] });
  const batch = (scope: Scope, own: Item[]): RecordBatch => ({
    ...{ scope, takenAt: start + hour, items: own },
    reading: { through: start + hour, window: null, hole: null },
  });
  const snapshots = [batch("spot", items(spot)), batch("umcbl", items(usdt)), batch("dmcbl", items(inverse))];
  await collect(store, bills, start + hour, { snapshots });
  store.close();
  await reconcileFile(path, { now: start + 48 * hour });
});

it.each([["ledger"], ["bills"], ["fees", "--by", "month"]])(
  "report %s has records of before the first run, which the exchange still had then",
  async (...args) => {
    const store = await open(path);
    const before = items([[-40 * 24 * 60, "deposit", "BTC", "0.1", "-0.0001"]]);
    const reading = { through: start + 2 * hour, window: null, hole: null };
    const batch: RecordBatch = { scope: "spot", takenAt: start + 2 * hour, items: before, reading };
    await collect(store, bills, start + 2 * hour, { snapshots: [batch] });
    store.close();
    const report = (...more: string[]) =>
      runInProcess(["report", ...args, ...more], golden, { DATABASE_URL: `file:${path}` });
    expect((await report("--to", "2026-11-02")).stdout).toContain("2026-09");
    expect((await report("--from", "2026-11-01", "--to", "2026-11-02")).stdout).not.toContain("2026-09");
  },
);

const run = (...args: string[]) =>
  runInProcess(["report", "ledger", "--to", "2026-11-02", ...args], golden, { DATABASE_URL: `file:${path}` });

describe.each(formats.map((format) => [format.name, format] as const))("for %s", (name, format) => {
  it("is the file that was checked by hand", async () => {
    const { code, stdout, stderr } = await run("--for", name);
    expect([code, stdout]).toEqual([0, readFileSync(join(golden, `${name}.csv`), "utf8")]);
    expect(stderr).toBe(readFileSync(join(golden, `${name}.txt`), "utf8"));
  });

  it("has every change of a balance, but those that it names", () => {
    expect(unbalanced(path, format, { from: start, to: start + hour })).toEqual([]);
  });
});

it("with --out names the entries that are not in the file in a second one", async () => {
  const out = join(temporaryPath(), "..", "taxes.csv");
  const { stderr } = await run("--for", "koinly", "--out", out);
  expect(readFileSync(out, "utf8")).toBe(readFileSync(join(golden, "koinly.csv"), "utf8"));
  const left = readFileSync(out.replace(".csv", "-left-out.csv"), "utf8").split("\r\n");
  expect(left[0]).toMatch(/^reason,at,account,wallet,kind/);
  const cells = left.map((line) => line.split(","));
  expect(cells.slice(1, -1).map((line) => [line[0], ...line.slice(5, 8)].join(" "))).toEqual([
    "a transfer between wallets of the account transfer_out USDT -200",
    "a transfer between wallets of the account trans_from_exchange USDT 200",
    "a trade of which only one side is recorded BUY BTC 0.002",
    "an exchange of more than two coins at once small_exchange_user_out rTOWN -1",
    "an exchange of more than two coins at once small_exchange_user_out BTC -0.0001",
    "an exchange of more than two coins at once small_exchange_user_in BGB 2",
    "no balance changed append_margin USDT 0",
  ]);
  expect(stderr).toContain("taxes-left-out.csv has the entries that are not in the file");
});

it("rejects another program and another report", async () => {
  expect((await run("--for", "koinli")).stderr).toContain('unknown --for "koinli"; did you mean koinly?');
  const { code, stderr } = await runInProcess(["report", "equity", "--for", "koinly"], golden, {
    DATABASE_URL: `file:${path}`,
  });
  expect([code, stderr]).toEqual([64, expect.stringContaining("report ledger --for koinly")]);
});
