/** The page of the reports, statements, and the files behind their links. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import { expect, it } from "vitest";
import { bills } from "../../src/datasets/ledger/bills.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { reports } from "../../src/reports/index.ts";
import { equityRow } from "../reports/kit.ts";
import { collect, minute, start } from "../store/kit.ts";
import { temporaryFolder } from "../support/files.ts";
import { rowOf } from "../support/rows.ts";
import { startAccounts } from "./account.ts";

const hrefs = (page: string): string[] =>
  [...page.matchAll(/<a href="([^"#]+)"/g)].map(([, href = ""]) => href.replaceAll("&amp;", "&"));

/** Returns the links of a page to files. */
const files = (page: string): string[] => hrefs(page).filter((href) => href.startsWith("reports/"));

async function withEquity(accounts = ["main"]) {
  const site = await startAccounts({ minutes: 3, accounts });
  for (const account of accounts) await site.record(equity, 2, [equityRow("25000.000000000000000001")], account);
  return site;
}

it("has a card for each report with its columns, and every link of it is a file", async () => {
  const { page, request } = await withEquity();
  const text = await page("/reports");
  for (const { name, columns } of reports) {
    expect(text).toContain(`<section class="report" id="${name}"`);
    expect(text).toContain(columns.join(", "));
  }
  const links = files(text);
  expect(links).toContain("reports/balances.csv?span=2026-11");
  expect(links).toContain("reports/equity.png?span=2026-11");
  expect(links).toContain("reports/ledger.csv?span=2026-11&for=koinly");
  expect(links.length).toBeGreaterThan(2 * reports.length);
  for (const link of links) {
    const response = await request(`/${link}`);
    expect([link, response.status]).toEqual([link, 200]);
    expect(response.headers.get("Content-Disposition")).toMatch(/^attachment; filename="[\w.-]+"$/);
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(0);
  }
});

it("shows the first rows of one report on demand, of the chosen dates and account", async () => {
  const { page } = await withEquity(["main", "hedge"]);
  const text = await page("/reports?preview=equity&from=2026-11-01&to=2026-11-01&account=hedge");
  const preview = /First rows of equity[\s\S]*?<\/table>/.exec(text)?.[0] ?? "";
  expect(preview).toContain("<td>2026-11-01</td><td>hedge</td>");
  expect(preview).toContain("25000.000000000000000001");
  expect(preview).not.toContain("main");
  expect(text).not.toContain("First rows of balances");
  // The choice is in every link.
  expect(
    files(text).filter((href) => href.endsWith("balances.csv?account=hedge&from=2026-11-01&to=2026-11-01")),
  ).toHaveLength(1);
});

it("a month is one file, three clicks away, with a statement of each account", async () => {
  const { page, request } = await withEquity(["main", "hedge"]);
  const month = hrefs(await page("/")).find((href) => href.startsWith("reports"));
  const books = files(await page(`/${month}`)).find((href) => href.includes("books-")) ?? "";
  const response = await request(`/${books}`);
  expect(response.headers.get("Content-Type")).toBe("application/zip");
  const found = unzipSync(new Uint8Array(await response.arrayBuffer()));
  expect(Object.keys(found).sort()).toEqual([
    ...["balances", "coverage", "equity", "ledger", "pnl", "reconciliation"].map((name) => `${name}-2026-11.csv`),
    ...["hedge", "main"].flatMap((name) => ["csv", "html"].map((form) => `statement-${name}-2026-11.${form}`)),
  ]);
  expect(strFromU8(found["equity-2026-11.csv"] ?? new Uint8Array())).toContain("25000.000000000000000001");
  const own = unzipSync(new Uint8Array(await (await request("/reports/books-2026-11.zip?account=main")).arrayBuffer()));
  expect(Object.keys(own).filter((name) => name.startsWith("statement"))).toEqual([
    "statement-main-2026-11.html",
    "statement-main-2026-11.csv",
  ]);
});

it("a statement is a page, and a sheet that needs no other file", async () => {
  const { page, request } = await withEquity();
  const text = await page("/statement?account=main&month=2026-11");
  expect(text).toContain("Statement of November 2026, main");
  expect(text).toContain("25,000");
  expect(text).not.toContain("<style");
  expect(hrefs(text)).toContain("reports/statement.html?account=main&month=2026-11");
  const sheet = await (await request("/reports/statement.html?account=main&month=2026-11")).text();
  expect(sheet).toContain("<style>");
  expect(sheet).not.toMatch(/<link|<script|src=/);
});

it("a statement says what the known values sum up to where one is not known", async () => {
  const { page, record } = await withEquity();
  const balance = { frozen: "0", locked: "0" };
  const held = [
    { coin: "USDT", available: "1007.5", ...balance },
    { coin: "AURUM", available: "3", ...balance },
  ];
  await record(spotAssets, 2, held);
  const text = await page("/statement?account=main&month=2026-11");
  expect(text).toMatch(/There is no sum: \d+ of \d+ values are not known/);
  expect(text).toMatch(/The others are 1,007\.50 USDT\./);
});

it("a file for spreadsheets keeps every digit of long numbers, and is read as UTF-8", async () => {
  const { request, store } = await withEquity();
  const cells = { billId: "1500002561338376194", coin: "USDT", at: start + minute, type: "=deposit", amount: "-5" };
  const item = { row: rowOf(bills, { ...cells, fee: "0", balance: "10.5", groupType: "" }), extra: null };
  const reading = { through: start + 2 * minute, window: null, hole: null };
  await collect(store, bills, start + 2 * minute, {
    snapshots: [{ scope: "spot", takenAt: start + 2 * minute, items: [item], reading }],
  });
  const bytes = Buffer.from(await (await request("/reports/bills.csv?form=spreadsheet")).arrayBuffer());
  expect(bytes.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
  expect(bytes.toString()).toContain(`"=""1500002561338376194"""`);
  expect(bytes.toString()).toContain(",'=deposit,");
  expect(bytes.toString()).toContain(",-5,");
  expect(await (await request("/reports/bills.csv")).text()).toContain(",1500002561338376194,");
});

it("lists the files of the daily reports by month, and serves those and no others", async () => {
  const folder = temporaryFolder();
  const { site, page, request } = await withEquity();
  site.reportsDirectory = join(folder, "reports");
  expect(await page("/reports")).not.toContain("daily files");
  mkdirSync(site.reportsDirectory);
  writeFileSync(join(folder, "secret.csv"), "secret");
  writeFileSync(join(folder, "reports", "equity-2026-11-01.csv"), "day\r\n");
  writeFileSync(join(folder, "reports", "notes.txt"), "mine");
  symlinkSync(join(folder, "secret.csv"), join(folder, "reports", "equity-2026-11-02.csv"));
  const text = await page("/reports");
  expect(text).toContain("2 daily files");
  expect(text).not.toContain("notes.txt");
  expect(await (await request("/reports/files/equity-2026-11-01.csv")).text()).toBe("day\r\n");
  for (const name of [
    "notes.txt",
    "equity-2026-11-02.csv",
    "equity-2026-11-03.csv",
    "..%2Fsecret.csv",
    "%2Fetc%2Fpasswd",
  ])
    expect([name, (await request(`/reports/files/${name}`)).status]).toEqual([name, 404]);
});

it("lists the months from the first record on, which is older than the first run", async () => {
  const { page, store } = await withEquity();
  const months = async () => [...(await page("/reports")).matchAll(/>Books of (\w+ \d+)</g)].map(([, month]) => month);
  expect(await months()).toEqual(["November 2026"]);
  const cells = { billId: "1", coin: "USDT", at: Date.UTC(2026, 7, 20), type: "deposit", amount: "5", fee: "0" };
  const item = { row: rowOf(bills, { ...cells, balance: "5", groupType: "" }), extra: null };
  const reading = { through: start + 2 * minute, window: null, hole: null };
  await collect(store, bills, start + 2 * minute, {
    snapshots: [{ scope: "spot", takenAt: start + 2 * minute, items: [item], reading }],
  });
  expect(await months()).toEqual(["November 2026", "October 2026", "September 2026", "August 2026"]);
});

const refused: [path: string, sentence: string][] = [
  ["/reports?span=2026-13", '"span" must be a month such as 2026-10, or a year.'],
  ["/reports?from=2026-11-02&to=2026-11-01", '"to" is before "from".'],
  ["/reports?from=yesterday&to=2026-11-01", '"from" must be a date such as 2026-10-31.'],
  ["/reports?zone=Mars", '"zone" is "Mars"; it must be the name of a time zone'],
  ["/reports?by=week", '"by" must be day or month.'],
  ["/reports?preview=nonsense", '"preview" must be one of balances'],
  ["/statement?account=main", "A statement needs an account, and a month that has begun"],
  ["/statement?account=main&month=2027-01", "A statement needs an account, and a month that has begun"],
  ["/reports/books-2027-01.zip", "2027-01 is no month that has begun."],
  ["/reports/equity.csv?for=koinly", '"for" is for the ledger: koinly, cointracker, bittytax.'],
  ["/reports/ledger.csv?for=koinly", "A file for koinly is of one account."],
  ["/reports/balances.png", "balances has no chart."],
  ["/reports/nonsense.csv", "No such report."],
  ["/reports/ledger.csv?account=nobody", 'No account "nobody" in this database.'],
];

it("refuses what it cannot read, with a sentence", async () => {
  const { request } = await withEquity(["main", "hedge"]);
  for (const [path, sentence] of refused) {
    const response = await request(path);
    const text = (await response.text()).replaceAll("&quot;", '"');
    expect([path, response.status, text]).toEqual([path, expect.any(Number), expect.stringContaining(sentence)]);
    expect([400, 404]).toContain(response.status);
  }
});
