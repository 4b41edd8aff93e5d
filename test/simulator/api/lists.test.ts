/** The lists of the simulated exchange: pages, windows, order, spelling and errors of every one. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { add } from "../../../src/core/decimal.ts";
import { type SimulatedAccount, type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { classic, unified } from "../../support/settings.ts";
import { ask, handClock, noon, type Reply } from "../support.ts";

const day = 86_400_000;
const from = noon - 40 * day;

type Row = Record<string, string>;

interface List {
  account: SimulatedAccount;
  path: string;
  params?: Record<string, string>;
  /** The longest window, in days. */
  span: number;
  limit: number;
  id: string;
  time: string;
  /** The name of the rows in `data`; none where `data` is the list. */
  rows?: string;
  cursor?: string;
}

const v2 = { account: classic, limit: 100, time: "cTime", span: 90 };
const v3 = { account: unified, limit: 100, time: "ts", span: 30, rows: "list", cursor: "cursor", id: "id" };
const futures = { productType: "USDT-FUTURES" };
const records = { ...v3, path: "/api/v3/account/financial-records", span: 90 };
const spotBills: List = { ...v2, path: "/api/v2/spot/account/bills", id: "billId", limit: 500 };
const futuresBills: List = {
  ...{ ...v2, path: "/api/v2/mix/account/bill", params: futures },
  ...{ id: "billId", rows: "bills", cursor: "endId", span: 30 },
};

const lists: readonly List[] = [
  spotBills,
  futuresBills,
  { ...v2, path: "/api/v2/spot/trade/fills", id: "tradeId" },
  { ...v2, path: "/api/v2/mix/order/fills", params: futures, id: "tradeId", rows: "fillList", cursor: "endId" },
  {
    ...{ ...v2, path: "/api/v2/mix/order/fill-history", params: futures },
    ...{ id: "tradeId", rows: "fillList", cursor: "endId", span: 7 },
  },
  {
    ...{ ...v2, path: "/api/v2/mix/position/history-position", params: futures },
    ...{ id: "endId", rows: "list", cursor: "endId", time: "utime" },
  },
  { ...v2, path: "/api/v2/spot/wallet/deposit-records", id: "orderId" },
  { ...v2, path: "/api/v2/spot/wallet/withdrawal-records", id: "orderId" },
  {
    ...{ ...v2, path: "/api/v2/spot/account/transferRecords", params: { coin: "USDT" } },
    ...{ id: "transferId", time: "ts", limit: 500 },
  },
  ...["SPOT", "MARGIN", "OTHER", "USDT-FUTURES", "USDC-FUTURES", "COIN-FUTURES"].map((category) => ({
    ...records,
    params: { category },
  })),
  { ...v3, path: "/api/v3/account/funding-financial-records" },
  { ...v3, path: "/api/v3/trade/fills", id: "execId", time: "createdTime" },
  {
    ...{ ...v3, path: "/api/v3/position/history-position", params: { category: "USDT-FUTURES" } },
    ...{ id: "cursor", time: "updatedTime" },
  },
  ...["deposit", "withdrawal"].map((type) => {
    const { rows: _rows, cursor: _cursor, ...bare } = v3;
    return { ...bare, path: `/api/v3/account/${type}-records`, id: "orderId", time: "createdTime" };
  }),
];

/** One exchange for all tests, whose clock moves a second with every request, so that no limit is reached. */
const clock = handClock(noon);
let exchange: Simulator;

beforeAll(async () => {
  const habits = { hasCashFlows: true, activity: 3 };
  exchange = await startSimulator({ clock, from, seed: 5, habits, accounts: [classic, unified] });
});
afterAll(() => exchange.close());

function request(account: SimulatedAccount, path: string, params: Record<string, string> = {}): Promise<Reply> {
  clock.pass(1000);
  const query = Object.keys(params).length === 0 ? "" : `?${new URLSearchParams(params)}`;
  return ask(exchange, account, path + query, clock.now());
}

const rowsIn = ({ rows }: List, { data }: Reply["body"]): Row[] => (rows ? data[rows] : data) ?? [];

/** Reads a window to its end, page by page, as a client does: by the cursor, or by the id of the last row. */
async function readAll(list: List, window: { from: number; to: number }, limit = list.limit) {
  const { account, path, params, id, cursor } = list;
  const times = { startTime: String(window.from), endTime: String(window.to), limit: String(limit) };
  const all: Row[] = [];
  let next: string | undefined;
  let pages = 0;
  for (;;) {
    const after = next === undefined ? {} : { [account.mode === "classic" ? "idLessThan" : "cursor"]: next };
    const { body } = await request(account, path, { ...params, ...times, ...after });
    if (body.code !== "00000") throw new Error(`${path} ${body.code} ${body.msg}`);
    const page = rowsIn(list, body);
    pages += 1;
    all.push(...page);
    if (page.length < limit) return { rows: all, pages };
    next = cursor ? body.data[cursor] : page.at(-1)?.[id];
  }
}

const nameOf = ({ path, params = {} }: List): string => [path, ...Object.values(params)].join(" ");
const table = lists.map((list) => [nameOf(list), list] as const);

it.each(table)("%s has every item once, the newest first, in pages of any size", async (_name, list) => {
  const to = noon;
  const window = { from: to - Math.min(list.span, 39) * day, to };

  const whole = await readAll(list, window);
  const last = { from: to - 3 * day, to };
  const small = await readAll(list, last, 7);

  const times = whole.rows.map((row) => Number(row[list.time]));
  const isRecent = (row: Row) => Number(row[list.time]) >= last.from;
  expect(whole.rows.length).toBeGreaterThan(3);
  expect(small.pages).toBe(Math.floor(small.rows.length / 7) + 1);
  expect(small.rows).toEqual(whole.rows.filter(isRecent));
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  expect(times.every((time) => time >= window.from && time <= window.to)).toBe(true);
});

it.each(table)("%s refuses a window that is too long", async (_name, list) => {
  const { account, path, params, span } = list;
  const codeOf = async (from: number, to: number) =>
    (await request(account, path, { ...params, startTime: String(from), endTime: String(to) })).body.code;

  const codes = [await codeOf(noon - span * day, noon - 1000), await codeOf(noon - span * day - 1000, noon)];

  const refused = path.endsWith("/mix/order/fills") ? "40705" : "00001";
  expect(codes[1]).toBe(refused);
  if (span < 90) expect(codes[0]).toBe("00000");
});

it.each([
  ["/api/v2/spot/account/bills", classic, {}, "43111"],
  ["/api/v2/mix/account/bill", classic, futures, "43111"],
  ["/api/v2/spot/trade/fills", classic, {}, "43111"],
  ["/api/v3/account/financial-records", unified, { category: "SPOT" }, "25200"],
  ["/api/v3/trade/fills", unified, {}, "25200"],
  ["/api/v2/spot/wallet/deposit-records", classic, {}, "00000"],
  ["/api/v3/account/withdrawal-records", unified, {}, "00000"],
] as const)(
  "%s before the last ninety days is refused, but not where records are kept",
  async (path, account, params, code) => {
    const times = { startTime: String(noon - 91 * day), endTime: String(noon - 80 * day) };

    expect((await request(account, path, { ...params, ...times })).body.code).toBe(code);
  },
);

it.each([
  ["/api/v3/account/financial-records", unified, {}, "400172"],
  ["/api/v3/account/financial-records", unified, { category: "EARN" }, "400172"],
  ["/api/v2/mix/account/bill", classic, {}, "400172"],
  ["/api/v2/mix/account/bill", classic, { ...futures, businessType: "funding_fee" }, "40020"],
  ["/api/v2/spot/wallet/deposit-records", classic, {}, "400172"],
  ["/api/v2/spot/account/transferRecords", classic, {}, "400172"],
  ["/api/v2/spot/account/bills", unified, {}, "40085"],
  ["/api/v3/account/financial-records", classic, { category: "SPOT" }, "40084"],
] as const)("%s with other parameters or of another account is refused: %#", async (path, account, params, code) => {
  expect((await request(account, path, params)).body.code).toBe(code);
});

it("an empty window is an empty list, or null in v3; a page has its last id as cursor", async () => {
  const before = { startTime: String(from - 2 * day), endTime: String(from - day) };
  const data = async (...args: Parameters<typeof request>) => (await request(...args)).body.data;

  const category = { category: "OTHER" };
  expect(await data(classic, "/api/v2/spot/account/bills", before)).toEqual([]);
  expect(await data(classic, "/api/v2/mix/account/bill", { ...futures, ...before })).toEqual({ bills: [], endId: "" });
  expect(await data(unified, records.path, { ...category, ...before })).toEqual({ list: null, cursor: null });
  const last = await data(unified, records.path, { ...category, limit: "1" });
  expect(last.cursor).toBe(last.list[0].id);
  const margin = await data(classic, "/api/v2/margin/crossed/financial-records", before);
  expect(margin.resultList).toEqual([]);
});

/** Reads a ledger of `days` days. */
const recent = async (list: List, days = 30): Promise<Row[]> =>
  (await readAll(list, { from: noon - days * day, to: noon })).rows;

describe("the fee", () => {
  const chainOf = (rows: Row[], change: (row: Row) => string): string[] => {
    const oldestFirst = rows.toReversed();
    const last = new Map<string, string>();
    return oldestFirst.flatMap((row) => {
      const coin = String(row.coin).toUpperCase();
      const before = last.get(coin);
      last.set(coin, String(row.balance));
      return before === undefined || add(before, change(row)) === add(String(row.balance), "0")
        ? []
        : [String(row.id ?? row.billId)];
    });
  };

  it("is beside the size of a classic spot bill, and beside the amount of a futures bill that moves no margin", async () => {
    const spot = await recent(spotBills);
    const bills = await recent({ ...futuresBills, params: { ...futures, onlyFunding: "yes" } });

    expect(chainOf(spot, ({ size = "", fees = "" }) => add(size, fees))).toEqual([]);
    expect(chainOf(bills, ({ amount = "", fee = "" }) => add(amount, fee))).toEqual([]);
    expect(spot.filter(({ fees }) => Number(fees) < 0).length).toBeGreaterThan(10);
    expect(chainOf(spot, ({ size = "" }) => size).length).toBeGreaterThan(10);
  });

  it("is in the amount of a unified spot row and beside that of a futures row, in one chain over all categories", async () => {
    const rows: Row[] = [];
    for (const list of lists.filter(({ path }) => path === records.path)) rows.push(...(await recent(list)));
    const number = (id: string | undefined) => BigInt(id ?? 0);
    rows.sort((one, other) => Number(other.ts) - Number(one.ts) || (number(one.id) < number(other.id) ? 1 : -1));
    const isFutures = ({ category = "", type = "" }: Row) => category.endsWith("FUTURES") && !type.endsWith("MARGIN");
    const change = (row: Row) =>
      row.type === "INCREASE_MARGIN" ? "0" : isFutures(row) ? add(row.amount ?? "", row.fee ?? "") : (row.amount ?? "");

    expect(chainOf(rows, change)).toEqual([]);
    expect(new Set(rows.map(({ category }) => category))).toContain("Margin");
    expect(new Set(rows.map(({ coin }) => coin))).toContain("rTOWN");
  });

  it("of a withdrawal is in the balance of the funding wallet, and only in the record", async () => {
    const funding = await recent({ ...v3, path: "/api/v3/account/funding-financial-records" });
    const path = "/api/v3/account/withdrawal-records";
    const { rows: _rows, cursor: _cursor, ...bare } = v3;
    const withdrawals = await recent({ ...bare, path, id: "orderId", time: "createdTime" });
    const paid = withdrawals.filter(({ status }) => status === "success");

    const rows = funding.filter(({ type }) => type === "withdraw");
    expect(rows.map(({ ts, amount }) => [ts, add(amount ?? "", "0")])).toEqual(
      paid
        .map(({ updatedTime, size = "", fee = "" }) => [updatedTime, `-${add(size, fee)}`])
        .sort()
        .reverse(),
    );
    expect(funding.filter(({ type }) => type === "").length).toBeGreaterThanOrEqual(paid.length);
    expect(chainOf(funding, ({ amount = "" }) => amount)).toHaveLength(rows.length);
  });
});
