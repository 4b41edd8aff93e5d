/** What accounts made today, in 7 and in 30 days, from their equity and the exchange's ledger. */
import { expect, it } from "vitest";
import { runToEnd } from "../../../src/core/async/cooperate.ts";
import type { Row, Scope } from "../../../src/core/domain.ts";
import { bills } from "../../../src/datasets/ledger/bills.ts";
import { equity } from "../../../src/datasets/snapshots/equity.ts";
import { spotAssets } from "../../../src/datasets/snapshots/spot-assets.ts";
import { reconcileFile } from "../../../src/store/ledger/reconcile-file.ts";
import { openHistory } from "../../../src/store/read/open-history.ts";
import type { Store } from "../../../src/store/store.ts";
import { readDrawdown } from "../../../src/web/data/results/drawdown.ts";
import { readResults } from "../../../src/web/data/results/results.ts";
import { createView } from "../../../src/web/pages/parts/query-params.ts";
import { servePages } from "../../browser/browser.ts";
import { reportRows, storeRun } from "../../reports/kit.ts";
import { collect } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { fetchPage } from "../../support/http.ts";
import { rowOf } from "../../support/rows.ts";

const hour = 3_600_000;
const at = (text: string): number => Date.parse(`2026-11-${text}Z`);

/** Stores the equity of an account at hours of November, and the deposits and withdrawals with which its ledger explains it. */
async function storeAccount(
  store: Store,
  account: string,
  equities: readonly [time: string, usdt: string][],
  payments: readonly [time: string, amount: string][] | null,
  upgradedAt = "99",
): Promise<void> {
  const first = at(equities[0]?.[0] ?? "");
  await store.setSchedule(account, equity.name, "0 * * * *", first - hour);
  if (payments) await store.setSchedule(account, spotAssets.name, "0 * * * *", first - hour);
  if (payments) await store.setSchedule(account, bills.name, "0 * * * *", first - hour);
  let since = first - hour;
  let balance = 0;
  const rows = (payments ?? []).map(([time, amount], index): Row => {
    balance += Number(amount);
    const type = amount.startsWith("-") ? "withdraw" : "deposit";
    const own = { coin: "USDT", billId: String(1000 + index), at: at(time), type, amount, fee: "0" };
    return rowOf(bills, { ...own, balance: String(balance), symbol: null, groupType: "" });
  });
  for (const [time, usdt] of equities) {
    const slot = at(time);
    const parts = time < upgradedAt ? { spotUsdt: usdt, futuresUsdt: "0" } : { unifiedUsdt: usdt };
    const cells = { usdtEquity: usdt, ...parts, complete: 1 };
    await storeRun(store, equity, slot, [cells], null, account);
    if (!payments) continue;
    const own = rows.filter((row) => Number(row.at) > since && Number(row.at) <= slot);
    const items = own.map((row) => ({ row, extra: null }));
    const reading = { through: slot + 1000, window: null, hole: null };
    const scope: Scope = "spot";
    const snapshots = [{ scope, takenAt: slot, items, reading }];
    await collect(store, bills, slot, { snapshots }, account);
    const available = String(rows.filter((row) => Number(row.at) <= slot).at(-1)?.balance ?? "0");
    await storeRun(store, spotAssets, slot, [{ coin: "USDT", available, frozen: "0", locked: "0" }], null, account);
    since = slot;
  }
}

/** Returns the results as of an instant. */
function resultsAt(path: string, instant: number, account: string | null = null) {
  const history = openHistory(path);
  const query = { account, at: null, isExact: false, params: {} };
  const view = createView(history, query, { timezone: "UTC", now: () => instant });
  try {
    return runToEnd(readResults(view));
  } finally {
    history.close();
  }
}

it("a deposit of 9,000 is no profit, and hides no drawdown", async () => {
  const path = temporaryPath();
  const store = await open(path);
  const equities: [string, string][] = [
    ["08T23:00", "1000"],
    ["09T10:00", "1100"],
    ["09T11:00", "990"],
    ["09T12:00", "9990"],
    ["09T23:00", "9990"],
    ["10T10:00", "10489.5"],
    ["10T11:00", "9440.55"],
  ];
  await storeAccount(store, "main", equities, [
    ["08T22:30", "1000"],
    ["09T11:30", "9000"],
  ]);
  await store.close();
  await reconcileFile(path, { now: at("10T11:30") });
  const { today, week, month, drawdown, realized } = resultsAt(path, at("10T11:30"));
  expect(today).toMatchObject({ profit: "-549.45", change: "-549.45", share: "-0.055", isOnTime: true, paidIn: "0" });
  expect(week).toMatchObject({ profit: "-559.45", change: "8440.55", paidIn: "9000", paidOut: "0", isOnTime: false });
  expect(week).toEqual(month);
  expect(week?.share).toBe("-0.06445");
  expect(realized).toMatchObject({ value: "0", days: 2, causes: [] });
  expect(drawdown).toMatchObject({ isWithoutFlows: true, now: "0.1495", largest: { depth: "0.1495" } });
  expect(drawdown?.largest).toMatchObject({ peakAt: at("09T10:00"), lowestAt: at("10T11:00") });
  // The report says the same, and so does a second reading, of which the days that are over are cached.
  const span = { timezone: "UTC", by: "day" as const, from: at("08T00:00"), to: at("11T00:00") };
  const total = reportRows(path, "returns", span, { now: at("10T11:30") }).find(({ day }) => day === "total");
  expect(total).toMatchObject({ result: "-559.45", time_weighted: "-0.06445", drawdown: "0.1495" });
  expect(resultsAt(path, at("10T11:30"))).toEqual({ today, week, month, drawdown, realized });
});

it("has one drawdown across an upgrade, without the step over it, as the report and the page of the performance", async () => {
  const path = temporaryPath();
  const store = await open(path);
  const equities: [string, string][] = [
    ["09T09:00", "1000"],
    ["09T10:00", "1100"],
    ["09T11:00", "990"],
    ["09T12:00", "1500"],
    ["10T10:00", "1350"],
  ];
  await storeAccount(store, "main", equities, [["09T08:30", "1000"]], "09T12:00");
  await store.close();
  const { drawdown, realized } = resultsAt(path, at("10T10:30"));
  expect(realized).toMatchObject({
    value: "0",
    days: 1,
    from: at("10T00:00"),
    causes: [],
  });
  const served = await servePages(path, () => at("10T10:30"));
  const pageOf = async (path: string) => (await fetchPage(new URL(`${path}?account=main`, served.url))).text();
  const [page, performance] = [await pageOf("/"), await pageOf("/performance")];
  served.close();
  expect(page).toContain(">Realised, 1 of 30 days</a>");
  expect(performance).toContain("The curves also have what is known of days");
  expect(page).toContain("<small>since 10 Nov</small>");
  expect(drawdown).toMatchObject({ now: "0.19", leftOutMs: hour, since: at("09T09:00"), isWithoutFlows: true });
  expect(drawdown?.largest).toMatchObject({ depth: "0.19", peakAt: at("09T10:00"), lowestAt: at("10T10:00") });
  const history = openHistory(path);
  const query = { account: "main", at: null, isExact: false, params: {} };
  const view = createView(history, query, { timezone: "UTC", now: () => at("10T10:30") });
  for (const from of [0, at("01T00:00")]) expect(runToEnd(readDrawdown(view, from))).toEqual(drawdown);
  history.close();
  const span = { timezone: "UTC", by: "day" as const, from: at("08T00:00"), to: at("11T00:00") };
  const total = reportRows(path, "returns", span, { now: at("10T10:30") }).find(({ day }) => day === "total");
  expect(total).toMatchObject({ drawdown: "0.19", time_weighted: null, unknown: "the wallets before the upgrade" });
});

it("without a ledger it is the change of the equity, and the cause is named", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await storeAccount(
    store,
    "main",
    [
      ["09T23:00", "1000"],
      ["10T10:00", "1500"],
      ["10T11:00", "1200"],
    ],
    null,
  );
  await store.close();
  const { today, drawdown, realized } = resultsAt(path, at("10T11:30"));
  expect(today).toMatchObject({ profit: null, change: "200", share: "0.2", cause: "bills were not collected" });
  expect(realized).toMatchObject({
    value: null,
    causes: ["main: bills were not collected", "the balances in spot-assets"],
  });
  expect(drawdown).toMatchObject({ isWithoutFlows: false, now: "0.2" });
});

it("adds accounts up where each has a new snapshot; one that begins brings no profit", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await storeAccount(
    store,
    "main",
    [
      ["09T23:00", "1000"],
      ["10T10:00", "1010"],
      ["10T11:00", "1020"],
    ],
    [],
  );
  await storeAccount(
    store,
    "hedge",
    [
      ["10T10:00", "500"],
      ["10T11:00", "480"],
      ["10T12:00", "490"],
    ],
    [],
  );
  await store.close();
  expect(resultsAt(path, at("10T12:30"), "main").today).toMatchObject({ profit: "20", from: at("09T23:00") });
  expect(resultsAt(path, at("10T12:30"), "hedge").today).toMatchObject({ profit: "-10", isOnTime: false });
  const { today, drawdown } = resultsAt(path, at("10T12:30"));
  // At 12:00 there is no equity of main.
  expect(today).toMatchObject({ profit: "0", change: "0", to: at("10T11:00"), paidIn: "0" });
  expect(drawdown?.largest).toMatchObject({ peakAt: at("10T10:00"), lowestAt: at("10T11:00") });
});

it("is unknown where nothing is known of the day, and begins later where nothing is known of its beginning", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await storeAccount(
    store,
    "main",
    [
      ["08T12:00", "1000"],
      ["10T10:00", "1100"],
      ["10T11:00", "1200"],
    ],
    [],
  );
  await store.close();
  expect(resultsAt(path, at("10T09:00")).today).toBeNull();
  expect(resultsAt(path, at("10T11:30")).today).toMatchObject({ profit: "200", from: at("08T12:00"), isOnTime: false });
});
