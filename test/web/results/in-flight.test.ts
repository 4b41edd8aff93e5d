/** Money between two wallets of an account while a snapshot is taken is neither lost nor won: in reports, results and curves. */
import { expect, it } from "vitest";
import { runToEnd } from "../../../src/core/async/cooperate.ts";
import { add, isPositive, multiply, sum } from "../../../src/core/decimal.ts";
import type { Item, Scope } from "../../../src/core/domain.ts";
import { bills } from "../../../src/datasets/ledger/bills.ts";
import { equity } from "../../../src/datasets/snapshots/equity.ts";
import { mixAccounts } from "../../../src/datasets/snapshots/mix-accounts.ts";
import { prices } from "../../../src/datasets/snapshots/prices.ts";
import { spotAssets } from "../../../src/datasets/snapshots/spot-assets.ts";
import { reconcileFile } from "../../../src/store/ledger/reconcile-file.ts";
import { openHistory } from "../../../src/store/read/open-history.ts";
import { readResults } from "../../../src/web/data/results/results.ts";
import { createView } from "../../../src/web/pages/parts/query-params.ts";
import { servePages } from "../../browser/browser.ts";
import { reportRows, storeRun } from "../../reports/kit.ts";
import { collect, good, item } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { fetchOnce } from "../../support/http.ts";
import { rowOf } from "../../support/rows.ts";

const hour = 3_600_000;
const at = (text: string): number => Date.parse(`2026-11-${text}Z`);

type Wallet = "spot" | "umcbl" | "dmcbl";
type Entry = [time: string, wallet: Wallet, amount: string, coin?: string];

/** Entries of a transfer that is under way at a time: first out of one wallet, then into the other, or with `-1` the other way round. */
const transfer = (time: string, from: Wallet, to: Wallet, amount: string, coin = "USDT", order = 1): Entry[] => {
  const timeAt = (ms: number) => new Date(at(time) + ms * order).toISOString().slice(8, -1);
  return [
    [timeAt(-10), from, `-${amount}`, coin],
    [timeAt(20), to, amount, coin],
  ];
};

/** The price of BTC at a slot: it rises by 1000 an hour. */
const priceAt = (slot: number): string => String(20_000 + ((slot - at("09T00:00")) / hour) * 1000);

const typeOf = (wallet: Wallet, amount: string, isTransfer: boolean): string => {
  if (!isTransfer) return wallet === "spot" ? "deposit" : "close_long";
  if (wallet === "spot") return isPositive(amount) ? "transfer_in" : "transfer_out";
  return isPositive(amount) ? "trans_from_exchange" : "trans_to_exchange";
};

/** Stores what an account has at each slot, of which its entries are the whole ledger; each is known from the slot after it on. */
async function storeLife(
  path: string,
  slots: readonly string[],
  accounts: Record<string, { earned: Entry[]; moved: Entry[] }>,
): Promise<void> {
  const store = await open(path);
  const first = at(slots[0] ?? "");
  for (const account of Object.keys(accounts))
    for (const { name } of [equity, bills, spotAssets, mixAccounts])
      await store.setSchedule(account, name, "0 * * * *", first - hour);
  await store.setSchedule("public", prices.name, "0 * * * *", first - hour);
  for (const [index, time] of slots.entries()) {
    const slot = at(time);
    await storeRun(store, prices, slot, [{ coin: "BTC", quote: "USDT", price: priceAt(slot) }]);
    for (const [account, { earned, moved }] of Object.entries(accounts)) {
      const balances = new Map<string, string>();
      const items = new Map<Wallet, Item[]>();
      const all = [...earned, ...moved].sort(([one], [other]) => at(one) - at(other));
      for (const [number, entry] of all.entries()) {
        const [time, wallet, amount, coin = "USDT"] = entry;
        if (at(time) > slot) continue;
        const balance = add(balances.get(`${wallet} ${coin}`) ?? "0", amount);
        balances.set(`${wallet} ${coin}`, balance);
        if (index > 0 && at(time) <= at(slots[index - 1] ?? "")) continue;
        const own = {
          coin,
          billId: String(1000 + number),
          at: at(time),
          type: typeOf(wallet, amount, moved.includes(entry)),
        };
        const row = rowOf(bills, { ...own, amount, fee: "0", balance, symbol: null, groupType: "" });
        items.set(wallet, [...(items.get(wallet) ?? []), { row, extra: null }]);
      }
      const held = (wallet: Wallet, coin: string) => balances.get(`${wallet} ${coin}`) ?? "0";
      const worth = (wallet: Wallet) => add(held(wallet, "USDT"), multiply(held(wallet, "BTC"), priceAt(slot)));
      const [spotUsdt, futuresUsdt] = [worth("spot"), add(worth("umcbl"), worth("dmcbl"))];
      const cells = { spotUsdt, futuresUsdt, usdtEquity: add(spotUsdt, futuresUsdt), complete: 1 };
      const none = { frozen: "0", locked: "0" };
      const coins = ["USDT", "BTC"].map((coin) => ({ coin, available: held("spot", coin), ...none }));
      await storeRun(store, spotAssets, slot, coins, null, account);
      const futures = (
        [
          ["umcbl", "USDT"],
          ["dmcbl", "BTC"],
        ] as const
      ).map(([scope, marginCoin]) => {
        const [available, equity] = [held(scope, marginCoin), held(scope, marginCoin)];
        return good([item(mixAccounts, { marginCoin, available, equity, unrealizedPl: "0" })], slot, scope);
      });
      await collect(store, mixAccounts, slot, { snapshots: futures }, account);
      await storeRun(store, equity, slot, [cells], null, account);
      const snapshots = (["spot", "umcbl", "dmcbl"] as const).map((scope: Scope & Wallet) => ({
        ...{ scope, takenAt: slot, items: items.get(scope) ?? [] },
        reading: { through: slot + 1, window: null, hole: null },
      }));
      await collect(store, bills, slot, { snapshots }, account);
    }
  }
  await store.close();
  await reconcileFile(path, { now: at(slots.at(-1) ?? "") + hour });
}

function resultsAt(path: string, instant: number, account: string | null = null) {
  const history = openHistory(path);
  const view = createView(
    history,
    { account, at: null, isExact: false, params: {} },
    { timezone: "UTC", now: () => instant },
  );
  try {
    return runToEnd(readResults(view));
  } finally {
    history.close();
  }
}

/** Returns the points of the curve of profits as "time profit drawdown", asked for at each instant; those of the last one. */
async function curveAt(path: string, instants: number | number[], query: string): Promise<string[]> {
  let [now, points]: [number, string[]] = [0, []];
  const served = await servePages(path, () => now);
  try {
    for (now of [instants].flat()) {
      const response = await fetchOnce(new URL(`/api/curve?of=profit&${query}`, served.url));
      const { at, lines } = (await response.json()) as { at: number[]; lines: { values: (string | null)[] }[] };
      const [profit = [], drawdown = []] = lines.map(({ values }) => values);
      points = at.map((each, index) => {
        return `${new Date(each).toISOString().slice(8, 16)} ${profit[index]} ${drawdown[index]}`;
      });
    }
    return points;
  } finally {
    served.close();
  }
}

const returnsOf = (
  path: string,
  span: { by: "day" | "month"; from: string; to: string },
  now: number,
  account = "main",
) =>
  reportRows(path, "returns", { timezone: "UTC", by: span.by, from: at(span.from), to: at(span.to) }, { now, account });

const bothDays = { by: "day", from: "09T00:00", to: "11T00:00" } as const;
const slots = ["09T21:00", "09T22:00", "09T23:00", "10T00:00", "10T01:00", "10T02:00"];
const funded = (usdt: string, more: Entry[] = []): Entry[] => [["09T20:30", "spot", usdt], ...more];
/** The futures win one per cent after the day. */
const won: Entry[] = [["10T00:30", "umcbl", "35.0000000001"]];
const now = at("10T02:30");

it("a transfer under way at the last snapshot of a day is no loss of it, and no gain of the next one", async () => {
  const path = temporaryPath();
  await storeLife(path, slots, {
    main: { earned: funded("3500.00000001", won), moved: transfer("09T23:00", "spot", "umcbl", "1997.12345678") },
  });
  const rows = returnsOf(path, bothDays, now);
  const shown = (row: (typeof rows)[number]) =>
    ["opening", "closing", "flows", "result", "drawdown", "unknown"].map((name) => row[name] ?? "-").join(" ");
  expect(rows.map(shown)).toEqual([
    "3500.00000001 1502.87654323 -1997.12345678 0 0 -",
    "1502.87654323 3535.0000000101 1997.12345678 35.0000000001 0 -",
    "3500.00000001 3535.0000000101 0 35.0000000001 0 -",
  ]);
  expect(rows.map(({ time_weighted }) => time_weighted)).toEqual(["0", "0.01", "0.01"]);
  expect(rows.map(({ money_weighted }) => money_weighted)).toEqual([null, "0.01", "0.01"]);
  const profits = reportRows(
    path,
    "pnl",
    { ...bothDays, timezone: "UTC", from: at("10T00:00"), to: at("11T00:00") },
    { now },
  );
  expect(profits.map(({ flows, profit, unexplained }) => [flows, add(String(profit), String(unexplained))])).toEqual([
    ["1997.12345678", "35.0000000001"],
  ]);
  const { today, month, drawdown } = resultsAt(path, now);
  expect(today).toMatchObject({ profit: "35.0000000001", change: "35.0000000001", paidIn: "0", paidOut: "0" });
  expect(month).toMatchObject({ profit: "35.0000000001", change: "35.0000000001", paidIn: "0", paidOut: "0" });
  expect(drawdown).toMatchObject({ now: "0", largest: { depth: "0" }, isWithoutFlows: true });
});

// The first span is read point by point, the second from the cached hours.
it.each([`from=${at("09T20:00")}&width=4000`, "from=0&width=100"])(
  "is no loss in the curve of profits (%s)",
  async (query) => {
    const path = temporaryPath();
    // All of the money is under way at 22:00, and on its way back in both wallets at 00:00.
    const back = transfer("10T00:00", "umcbl", "spot", "3490", "USDT", -1);
    const moved = [...transfer("09T22:00", "spot", "umcbl", "3500"), ...back];
    const lost: Entry[] = [["09T22:30", "umcbl", "-10"]];
    await storeLife(path, slots, { main: { earned: funded("3500", [...lost, ...won]), moved } });
    const points = await curveAt(path, now, `account=main&${query}&to=${now}`);
    expect([...new Set(points.map((point) => point.split(" ")[1]))]).toEqual(["0", "-10", "25.0000000001"]);
    expect(points).toContain("09T22:00 0 0");
    expect(points).toContain("10T00:00 -10 -0.0028571428571429");
    const total = returnsOf(path, bothDays, now).at(-1);
    expect(total).toMatchObject({ flows: "0", result: "25.0000000001", drawdown: "0.002857142857" });
  },
);

it("counts at the price of its coin, also in the sum of several accounts", async () => {
  const path = temporaryPath();
  const btc: Entry[] = [["09T20:30", "spot", "0.5", "BTC"]];
  const hedge = { earned: funded("100"), moved: transfer("09T22:00", "spot", "umcbl", "100") };
  const main = { earned: funded("1000", btc), moved: transfer("09T23:00", "spot", "dmcbl", "0.3", "BTC") };
  await storeLife(path, slots, { main, hedge });
  const rows = returnsOf(path, bothDays, now);
  // 0.5 BTC gain 500 an hour; 0.3 BTC are worth 12900 at 23:00.
  expect(rows.map(({ flows, result, drawdown }) => [flows, result, drawdown])).toEqual([
    ["-12900", "1000", "0"],
    ["12900", "1500", "0"],
    ["0", "2500", "0"],
  ]);
  expect(sum(rows.slice(0, -1).map(({ result }) => String(result)))).toBe("2500");
  const { month, drawdown } = resultsAt(path, now);
  expect(month).toMatchObject({ profit: "2500", change: "2500", paidIn: "0", paidOut: "0" });
  expect(drawdown).toMatchObject({ now: "0", largest: { depth: "0" } });
  const points = await curveAt(path, now, `from=${at("09T20:00")}&to=${now}&width=4000`);
  expect(points).toEqual(slots.map((slot, index) => `${slot} ${index * 500} 0`));
});

it("is open where its other entry may not have been read yet: no loss and no withdrawal", async () => {
  const path = temporaryPath();
  const moved = transfer("09T23:00", "spot", "umcbl", "2000");
  await storeLife(path, slots.slice(0, 3), { main: { earned: funded("3500"), moved } });
  const soon = at("09T23:00") + 30_000;
  // A period in progress ends before it.
  const [inProgress] = returnsOf(path, { by: "day", from: "09T00:00", to: "10T00:00" }, soon);
  expect(inProgress).toMatchObject({
    closing: "3500",
    closing_at: "2026-11-09T22:00:00.000Z",
    flows: "0",
    result: "0",
  });
  expect(resultsAt(path, soon).month).toMatchObject({ profit: "0", paidOut: "0", to: at("09T22:00") });
  const points = await curveAt(path, soon, `account=main&from=${at("09T20:00")}&to=${soon}&width=4000`);
  expect(points).toEqual(["09T21:00 0 0", "09T22:00 0 0"]);
  // One that is over is unknown.
  const [over] = returnsOf(path, { by: "day", from: "09T00:00", to: "10T00:00" }, at("10T00:00"));
  expect(over).toMatchObject({ flows: null, result: null, time_weighted: null, drawdown: null });
  expect(over?.unknown).toBe("spot: not read up to here");
});

// What is older than ten minutes is read once and kept: up to the snapshot, up to the second entry, and up to after it.
it.each([0, 20, 21])("is found once where what was read before ends %i ms after the snapshot", async (ms) => {
  const path = temporaryPath();
  await storeLife(path, slots, {
    main: { earned: funded("3500"), moved: transfer("09T23:00", "spot", "umcbl", "3000") },
  });
  const instants = [at("09T23:00") + 600_000 + ms, now];
  const points = await curveAt(path, instants, `account=main&from=${at("09T20:00")}&to=${now}&width=4000`);
  expect(points).toEqual(slots.map((slot) => `${slot} 0 0`));
});
