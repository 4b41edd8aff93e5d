/** Stores four days of the exchange's own ledger of an account. One entry, a reward of 25 USDT, is not in it. */
import { add } from "../../src/core/decimal.ts";
import type { DecimalString, Row, Scope } from "../../src/core/domain.ts";
import type { IncrementalDataset } from "../../src/datasets/incremental.ts";
import { bills } from "../../src/datasets/ledger/bills.ts";
import { closedPositions } from "../../src/datasets/ledger/closed-positions.ts";
import { deposits } from "../../src/datasets/ledger/deposits.ts";
import { fills } from "../../src/datasets/ledger/fills.ts";
import { withdrawals } from "../../src/datasets/ledger/withdrawals.ts";
import { mixAccounts } from "../../src/datasets/snapshots/mix-accounts.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { reconcileFile } from "../../src/store/ledger/reconcile-file.ts";
import { storeRun } from "../reports/kit.ts";
import { collect, storeAt } from "../store/kit.ts";
import { rowOf } from "./rows.ts";

const day = 86_400_000;
const at = (text: string): number => Date.parse(`2026-11-${text}Z`);
const slots = ["09T12:30", "10T12:30", "11T12:30", "12T12:30"].map(at);

type Wallet = "spot" | "umcbl";
type Bill = [time: string, wallet: Wallet, coin: string, type: string, amount: string, fee?: string, symbol?: string];

const entries: readonly Bill[] = [
  ["09T10:00:00.000", "spot", "USDT", "deposit", "1000"],
  ["10T09:00:00.000", "spot", "USDT", "deposit", "9000"],
  ["10T10:00:00.000", "spot", "USDT", "transfer_out", "-2000"],
  ["10T10:00:00.030", "umcbl", "USDT", "trans_from_exchange", "2000"],
  ["10T10:05:00.000", "umcbl", "USDT", "open_long", "0", "-1.2", "BTCUSDT"],
  ["10T16:00:10.000", "umcbl", "USDT", "contract_settle_fee", "-0.35125", "0", "BTCUSDT"],
  ["11T08:00:00.000", "spot", "USDT", "buy", "-500"],
  ["11T08:00:00.000", "spot", "BTC", "buy", "0.01", "-0.00001"],
  ["11T09:00:00.000", "umcbl", "USDT", "close_long", "120.5", "-1.25", "BTCUSDT"],
  ["11T10:00:00.000", "umcbl", "USDT", "open_short", "0", "-0.4", "ETHUSDT"],
  ["11T16:00:10.000", "umcbl", "USDT", "contract_settle_fee", "0.0625", "0", "ETHUSDT"],
  ["12T08:30:00.000", "umcbl", "USDT", "close_short", "-60.25", "-0.45", "ETHUSDT"],
  ["12T09:00:00.000", "spot", "USDT", "withdraw", "-998.5", "-1.5"],
];
const unlisted: Bill = ["11T11:00:00.000", "spot", "USDT", "airdrop_rewards", "25"];

const fill = (time: string, tradeId: string, cells: Row): Row => ({ at: at(time), tradeId, feeCoin: "USDT", ...cells });
const trades: Partial<Record<Wallet, Row[]>> = {
  spot: [
    fill("11T08:00:00.000", "11", {
      ...{ symbol: "BTCUSDT", side: "buy", price: "50000", size: "0.01", quote: "500" },
      ...{ fee: "-0.00001", feeCoin: "BTC" },
    }),
  ],
  umcbl: [
    fill("10T10:05:00.000", "21", { symbol: "BTCUSDT", side: "buy", quote: "2000", fee: "-1.2" }),
    fill("11T09:00:00.000", "22", { symbol: "BTCUSDT", side: "sell", quote: "2120.5", fee: "-1.25" }),
    fill("11T10:00:00.000", "23", { symbol: "ETHUSDT", side: "sell", quote: "700", fee: "-0.4" }),
    fill("12T08:30:00.000", "24", { symbol: "ETHUSDT", side: "buy", quote: "760.25", fee: "-0.45" }),
  ],
};

const closed = { marginCoin: "USDT", marginMode: "crossed" };
const positions: readonly Row[] = [
  {
    ...{ ...closed, positionId: "1", symbol: "BTCUSDT", holdSide: "long", realizedPl: "120.5", funding: "-0.35125" },
    ...{ openedAt: at("10T10:05"), closedAt: at("11T09:00"), openFee: "-1.2", closeFee: "-1.25" },
    netProfit: "117.69875",
  },
  {
    ...{ ...closed, positionId: "2", symbol: "ETHUSDT", holdSide: "short", realizedPl: "-60.25", funding: "0.0625" },
    ...{ openedAt: at("11T10:00"), closedAt: at("12T08:30"), openFee: "-0.4", closeFee: "-0.45" },
    netProfit: "-61.0375",
  },
];

const payment = (time: string, recordId: string, amount: string, fee: string, status = "success"): Row => ({
  ...{ coin: "USDT", recordId, at: at(time), updatedAt: at(time), amount, fee, status },
});
const paidIn = [payment("09T10:00", "1", "1000", "0"), payment("10T09:00", "2", "9000", "0")];
const paidOut = [payment("12T09:00", "3", "1000", "-1.5"), payment("12T10:00", "4", "70", "-1.5", "fail")];

/** Fills the database at `path`. */
export async function storeLedger(path: string): Promise<void> {
  const store = await storeAt(path);
  const records = [bills, fills, closedPositions, deposits, withdrawals];
  for (const { name } of [spotAssets, mixAccounts, ...records])
    await store.setSchedule("main", name, "30 12 * * *", slots[0] ?? 0);
  const balances = new Map<string, DecimalString>();
  let booked = 0;
  const book = ([time, wallet, coin, type, amount, fee = "0", symbol = ""]: Bill) => {
    booked += 1;
    const balance = add(add(balances.get(`${wallet} ${coin}`) ?? "0", amount), fee);
    balances.set(`${wallet} ${coin}`, balance);
    const cells = { coin, billId: String(1000 + booked), at: at(time), type, amount, fee, balance };
    return { wallet, row: rowOf(bills, { ...cells, symbol: symbol || null, groupType: "" }) };
  };
  let since = 0;
  for (const slot of slots) {
    const isNew = (instant: unknown) => Number(instant) > since && Number(instant) <= slot;
    const rows = [...entries, unlisted]
      .filter(([time]) => isNew(at(time)))
      .sort(([one], [other]) => at(one) - at(other))
      .map((bill) => ({ ...book(bill), isListed: bill !== unlisted }))
      .filter(({ isListed }) => isListed);
    const record = (dataset: IncrementalDataset, scopes: readonly [Scope, readonly Row[]][]) =>
      collect(store, dataset, slot, {
        snapshots: scopes.map(([scope, own]) => ({
          ...{ scope, takenAt: slot, items: own.map((row) => ({ row: rowOf(dataset, row), extra: null })) },
          reading: { through: slot, window: null, hole: null },
        })),
      });
    const wallets: readonly Wallet[] = ["spot", "umcbl"];
    await record(
      bills,
      wallets.map((wallet) => [wallet, rows.filter((one) => one.wallet === wallet).map(({ row }) => row)]),
    );
    await record(
      fills,
      wallets.map((wallet) => [wallet, (trades[wallet] ?? []).filter((row) => isNew(row.at))]),
    );
    await record(closedPositions, [["umcbl", positions.filter(({ closedAt }) => isNew(closedAt))]]);
    await record(deposits, [["spot", paidIn.filter((row) => isNew(row.at))]]);
    await record(withdrawals, [["spot", paidOut.filter((row) => isNew(row.at))]]);
    const of = (key: string) => balances.get(key) ?? "0";
    const held = ["USDT", "BTC"].map((coin) => ({ coin, available: of(`spot ${coin}`), frozen: "0", locked: "0" }));
    await storeRun(store, spotAssets, slot, held);
    const available = of("umcbl USDT");
    await storeRun(store, mixAccounts, slot, [{ marginCoin: "USDT", available, equity: available }], "umcbl");
    since = slot;
  }
  await store.close();
  await reconcileFile(path, { now: (slots.at(-1) ?? 0) + day });
}
