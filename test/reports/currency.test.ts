/** Reports with amounts in another currency. */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zipSync } from "fflate";
import { beforeEach, expect, it } from "vitest";
import { pause } from "../../src/core/async/cooperate.ts";
import { bills } from "../../src/datasets/ledger/bills.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { prices } from "../../src/datasets/snapshots/prices.ts";
import { ecbRates, parseEcb } from "../../src/reports/currency/ecb.ts";
import { inCurrency } from "../../src/reports/currency/in-currency.ts";
import { returns } from "../../src/reports/ledger/returns.ts";
import type { HistoryReader } from "../../src/store/history.ts";
import { collect, start } from "../store/kit.ts";
import { open, temporaryPath } from "../store/temporary.ts";
import { runInProcess } from "../support/in-process.ts";
import { rowOf } from "../support/rows.ts";
import { equityRow, hour, storeRun } from "./kit.ts";

/** 30 October is a Friday, 2 November a Monday. */
const csv = "Date,USD,JPY,CHF,\n2026-11-02,1.0565,161.25,0.93,\n2026-10-30,1.08,N/A,0.9405,\n2026-10-29,0,160,0.94,\n";

const xml = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope><Cube><Cube time="2026-11-02"><Cube currency="USD" rate="1.0565"/><Cube currency="CHF" rate="0.93"/></Cube>
<Cube time='2026-10-30'><Cube currency='USD' rate='1.08'/></Cube></Cube></gesmes:Envelope>`;

let path: string;

/** A Sunday and a Monday, hourly; on the Monday with a price of the euro. */
beforeEach(async () => {
  path = temporaryPath();
  const store = await open(path);
  for (const [account, dataset] of [
    ["main", "equity"],
    ["public", "prices"],
  ] as const)
    await store.setSchedule(account, dataset, "0 * * * *", start - 1);
  for (let n = 0; n < 48; n += 1) {
    await storeRun(store, equity, start + n * hour, [equityRow(n < 24 ? "1000" : "1056.5")]);
    if (n >= 24) await storeRun(store, prices, start + n * hour, [{ coin: "EUR", quote: "USDT", price: "1.25" }]);
  }
  store.close();
  writeFileSync(join(dirname(path), "rates.csv"), csv);
  writeFileSync(join(dirname(path), "rates.zip"), zipSync({ "eurofxref-hist.csv": new TextEncoder().encode(csv) }));
  writeFileSync(join(dirname(path), "rates.xml"), xml);
  writeFileSync(join(dirname(path), "other.csv"), "a,b\n1,2\n");
});

const print = (args: string[]) => runInProcess(["report", ...args], dirname(path), { DATABASE_URL: `file:${path}` });

/** Returns the cells of the given columns. */
async function cells(args: string[], ...columns: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await print(args);
  expect([code, stderr.replace(/^No .*: amounts in [A-Z]{3} are empty there\..*\n$/, "")]).toEqual([0, ""]);
  const [header = [], ...rows] = stdout
    .trimEnd()
    .split("\r\n")
    .map((line) => line.match(/("[^"]*"|[^,]*)(,|$)/g)?.map((cell) => cell.replace(/,$/, "")) ?? []);
  return rows.map((row) => columns.map((column) => row[header.indexOf(column)] ?? "no column").join(" "));
}

const span = ["--from", "2026-11-01", "--to", "2026-11-03"];
const rate = ["rate", "rate_source", "rate_at"];

it.each(["rates.csv", "rates.zip", "rates.xml"])(
  "have the rate of their own day in %s, and nothing on a Sunday",
  async (file) => {
    const found = await cells(
      ["equity", ...span, "--currency", "EUR", "--rates", file],
      "day",
      "closing",
      "closing_eur",
      ...rate,
    );
    expect(found).toEqual([
      "2026-11-01 1000    ",
      '2026-11-02 1056.5 1000.00000000000005165 0.9465215333648841 "ECB EUR/USD 1.0565, 1 USDT as 1 USD" 2026-11-02',
    ]);
  },
);

it("have the rate of another currency by the euro", async () => {
  const found = await cells(
    ["equity", ...span, "--currency", "CHF", "--rates", "rates.csv"],
    "day",
    "closing_chf",
    ...rate,
  );
  expect(found[1]).toBe(
    '2026-11-02 930.0000000000000343 0.8802650260293422 "ECB EUR/USD 1.0565, EUR/CHF 0.93, 1 USDT as 1 USD" 2026-11-02',
  );
});

it("have the recorded pair of the exchange without a file, of the day on which it was read", async () => {
  const found = await cells(["equity", ...span, "--currency", "EUR"], "day", "closing_eur", ...rate);
  expect(found).toEqual(["2026-11-01    ", "2026-11-02 845.2 0.8 Bitget EURUSDT 1.25 2026-11-02T23:00:00.000Z"]);
});

it("convert what a day brought, and not what a month did, whose days have other rates", async () => {
  const own = ["pnl", ...span, "--currency", "EUR"];
  expect((await cells(own, "day", "closing_eur", "flows_eur")).at(-1)).toBe("2026-11-02 845.2 ");
  const [month] = await cells([...own, "--by", "month"], "month", "profit_eur", "flows_eur");
  expect(month).toBe("2026-11  ");
});

it("convert the results of a ledger, which is read as its rows are written", async () => {
  const store = await open(path);
  const entry = (serial: number, at: number) => ({
    row: rowOf(bills, {
      billId: `${serial}`,
      at,
      type: "deposit",
      coin: "USDT",
      amount: "1",
      fee: "0",
      balance: `${serial}`,
    }),
    extra: null,
  });
  const entries = Array.from({ length: 48 }, (_, n) => entry(n + 1, start + n * hour + 1));
  const reading = { through: start + 48 * hour, window: null, hole: null };
  const batch = { scope: "spot", takenAt: start + 48 * hour, items: entries, reading } as const;
  await collect(store, bills, start + 48 * hour, { snapshots: [batch] });
  store.close();
  const found = await cells(["pnl", ...span, "--currency", "EUR"], "day", "closing_eur", "rate");
  expect(found).toEqual(["2026-11-01  ", "2026-11-02 845.2 0.8"]);
});

it("have the opening and the closing of returns at the rates of the days on which they were read", () => {
  const row = (day: string, cells: Record<string, string>) =>
    returns.columns.map((name) => (name === "day" ? day : (cells[name] ?? null)));
  const amounts = { opening: "108", closing: "105.65", flows: "-3", result: "0.65" };
  const monday = { ...amounts, opening_at: "2026-10-30T23:00:00.000Z", closing_at: "2026-11-02T23:00:00.000Z" };
  const sunday = { closing: "100", closing_at: "2026-11-01T23:00:00.000Z" };
  const given = [row("2026-11-02", monday), row("total", monday), row("2026-11-01", sunday)];
  function* rows() {
    yield* given;
  }
  const rates = parseEcb(new TextEncoder().encode(csv));
  const report = inCurrency({ ...returns, rows }, "EUR", () => ecbRates(rates, "EUR"));
  const names = ["opening_eur", "closing_eur", "flows_eur", "result_eur", "opening_rate", "closing_rate_at"];
  const span = { timezone: "UTC", by: "day", from: start, to: start + 48 * hour } as const;
  const source = { history: {} as HistoryReader, account: null, now: start };
  const found = [...report.rows(source, span)].flatMap((cells) =>
    cells === pause ? [] : [names.map((name) => cells[report.columns.indexOf(name)] ?? "-").join(" ")],
  );
  const ends = "99.9999999999999972 100.000000000000005165";
  expect(found).toEqual([
    `${ends} -2.8395646000946523 0.615238996687174665 0.9259259259259259 2026-11-02`,
    `${ends} - - 0.9259259259259259 2026-11-02`,
    "- - - - - -",
  ]);
  expect([...report.unrated]).toEqual(["2026-11-01"]);
});

it("say which rates are missing, of which days, and where there are some", async () => {
  const said = async (...args: string[]) => (await print(["equity", ...span, ...args])).stderr;
  const sunday = "for 2026-11-01: amounts in";
  expect(await said("--currency", "EUR")).toBe(
    `No price of EURUSDT is recorded ${sunday} EUR are empty there. For the rates of the ECB, download https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip and add --rates eurofxref-hist.zip.\n`,
  );
  expect(await said("--currency", "CHF")).toContain(
    "No price of CHFUSDT is recorded for 2 days from 2026-11-01 to 2026-11-02: amounts in CHF are empty there. ",
  );
  expect(await said("--currency", "EUR", "--rates", "rates.csv")).toContain(
    `No rate of EUR/USD is in rates.csv ${sunday} EUR are empty there. The ECB publishes none at weekends; `,
  );
  expect(await said("--currency", "EUR", "--by", "month")).toBe("");
  expect((await print(["equity", "--from", "2026-11-02", "--to", "2026-11-03", "--currency", "EUR"])).stderr).toBe("");
});

it("reads no rate that is none", () => {
  const rates = parseEcb(new TextEncoder().encode(csv));
  expect([...rates].map(([date, all]) => `${date} ${[...all].join(" ")}`)).toEqual([
    "2026-11-02 USD,1.0565 JPY,161.25 CHF,0.93",
    "2026-10-30 USD,1.08 CHF,0.9405",
    "2026-10-29 JPY,160 CHF,0.94",
  ]);
  expect(parseEcb(new TextEncoder().encode("<html>")).size).toBe(0);
});

it.each([
  [["ledger", "--currency", "EUR"], "ledger has no amounts in USDT, unlike balances, equity, pnl, returns"],
  [["equity", "--currency", "euro"], '--currency "euro" is not a code such as EUR'],
  [["equity", "--rates", "rates.csv"], "--rates needs --currency"],
  [["equity", "--currency", "EUR", "--rates", "nowhere.zip"], "nowhere.zip cannot be read (ENOENT)"],
  [["equity", "--currency", "EUR", "--rates", "other.csv"], "other.csv has no reference rates"],
])("%j is refused: %s", async (args, sentence) => {
  const { code, stderr } = await runInProcess(["report", ...args], dirname(path), { DATABASE_URL: `file:${path}` });
  expect([64, 78]).toContain(code);
  expect(stderr).toContain(sentence);
});
