/**
 * The queries of the cookbook as they are printed there, on a past that is the same every time. Their answers are pinned;
 * after a change that is meant: `npx vitest run test/repository/cookbook.test.ts -u`, and read what differs.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cellText } from "../../src/core/domain.ts";
import { datasets } from "../../src/datasets/index.ts";
import type { ServedSnapshot, TrueRow } from "../../src/simulator/simulator.ts";
import { viewsOf } from "../../src/store/schema/views.ts";
import { addDecimalFunctions } from "../../src/store/sql/decimal-functions.ts";
import { prepareQuery } from "../../src/store/sql/query.ts";
import { simulateFortnight } from "../support/fortnight.ts";

const page = readFileSync("docs/cookbook.md", "utf8");
const queries = page
  .split("\n## ")
  .slice(1)
  .map((text) => [text.slice(0, text.indexOf("\n")), /```sql\n([\s\S]*?)```/.exec(text)?.[1] ?? ""] as const);

/** `9. Distance to liquidation, now and ever` -> `9-distance-to-liquidation-now-and-ever`, as GitHub makes it. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");

/** Where the answer is kept. */
const fileOf = (title: string): string => `${anchorOf(title).replace(/^\d-/, "0$&")}.txt`;

const folder = mkdtempSync(join(tmpdir(), "collector-cookbook-"));
const path = join(folder, "collector.db");
let database: Database.Database;
let record: ServedSnapshot[];

beforeAll(async () => {
  record = await simulateFortnight(path);
  database = new Database(path, { readonly: true });
  addDecimalFunctions(database);
});

afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

/** The answer of `sql`, a line a row, written as the `sqlite3` program writes it. */
function answer(sql: string): string {
  const { columns, rows } = prepareQuery(database, sql);
  const lines = [...rows()].map((cells) => cells.map((cell) => (cell === null ? "NULL" : cellText(cell))).join("|"));
  return [columns.join("|"), ...lines, ""].join("\n");
}

/** The version of the machine's `sqlite3`; null where it is missing, or has no decimal extension. */
function shellVersion(): string | null {
  try {
    const sql = "select sqlite_version() where decimal_add('1', '2') = '3'";
    return execFileSync("sqlite3", [":memory:", sql], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return null;
  }
}

const shell = shellVersion();
const inShell = (sql: string): string =>
  execFileSync("sqlite3", ["-readonly", "-header", "-nullvalue", "NULL", path, sql], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });

/** Rows of the query with this number. */
const rowsOf = (number: number): Record<string, string | null>[] => {
  const { columns, rows } = prepareQuery(database, queries[number - 1]?.[1] ?? "");
  return [...rows()].map((cells) =>
    Object.fromEntries(columns.map((name, index) => [name, cells[index] == null ? null : String(cells[index])])),
  );
};

/** What was told of a dataset last, in the two hours before an instant, for each account and scope. */
function toldAt(dataset: string, instant: string): (TrueRow & { account: string })[] {
  const to = Date.parse(instant);
  const told = record.filter(
    (one) => one.dataset === dataset && !one.edited && one.takenAt <= to && one.takenAt > to - 7_200_000,
  );
  const last = new Map(told.map((one) => [`${one.account} ${one.scope}`, one]));
  return [...last.values()].flatMap(({ account, rows }) => rows.map((row) => ({ account, ...row })));
}

/** Digits as a count of their 40th decimal. */
function whole(digits: unknown): bigint {
  const [, sign, integer = "", fraction = ""] = /^(-?)(\d+)\.?(\d*)$/.exec(String(digits)) ?? [];
  return BigInt(`${sign}${integer}${fraction.padEnd(40, "0")}`);
}

describe("the cookbook", () => {
  it("has twenty queries, each in the index and each with an answer", () => {
    const anchors = queries.map(([title]) => anchorOf(title));
    expect(queries.length).toBe(20);
    expect([...page.matchAll(/\]\(#([^)]*)\)/g)].map((match) => match[1])).toEqual(anchors);
    expect(readdirSync("test/fixtures/cookbook").sort()).toEqual(queries.map(([title]) => fileOf(title)).sort());
  });

  it.each(queries)("answers %s", async (title, sql) => {
    await expect(answer(sql)).toMatchFileSnapshot(`../fixtures/cookbook/${fileOf(title)}`);
  });

  it.skipIf(!shell).each(queries)(`is answered alike by sqlite3 ${shell}: %s`, (_title, sql) => {
    expect(inShell(sql)).toBe(answer(sql));
  });

  it("tells of a coin over time what the exchange told", () => {
    const day = "2026-10-02";
    const told = record.filter(
      ({ dataset, takenAt }) => dataset === "spot-assets" && new Date(takenAt).toISOString().startsWith(day),
    );
    const expected = told.flatMap(({ account, takenAt, rows }) =>
      rows
        .filter(({ coin }) => coin === "USDT")
        .map(({ available }) => `${account} ${new Date(takenAt).toISOString()} ${available}`),
    );
    const rows = rowsOf(1).map(({ account, taken_at, available }) => `${account} ${taken_at} ${available}`);
    expect(rows.length).toBe(47);
    expect(rows).toEqual(expected.sort());
  });

  it("tells all positions at an instant as the exchange told them", () => {
    const columns = ["account", "product_type", "symbol", "hold_side", "total", "unrealized_pl", "liquidation_price"];
    const line = (row: Record<string, unknown>) => columns.map((name) => row[name]).join(" ");
    // At 07:00 and 08:00 one product type was refused: what it held is unknown by half past eight.
    const expected = toldAt("positions", "2026-10-04T08:30:00Z").map(line).sort();
    expect(expected.length).toBe(12);
    expect(rowsOf(3).map(line).sort()).toEqual(expected);
  });

  it("adds up what the coins were worth to the last digit", () => {
    const instant = "2026-10-10T23:30:00Z";
    const prices = new Map(toldAt("prices", instant).map(({ coin, price }) => [coin, price]));
    prices.set("USDT", "1");
    const held = [...toldAt("spot-assets", instant), ...toldAt("funding-assets", instant)];
    const amounts = held
      .filter(({ account, coin }) => account === "main" && prices.has(coin ?? null))
      .filter(({ frozen }) => frozen !== null)
      .map((row) => [
        whole(row.available) + whole(row.frozen) + whole(row.locked ?? "0"),
        whole(prices.get(row.coin ?? null)),
      ]);
    const sum = amounts.reduce((total, [amount = 0n, price = 0n]) => total + amount * price, 0n);
    const known = rowsOf(4).find(({ account }) => account === "main")?.known_usdt_of_account;
    expect(whole(known) * 10n ** 40n).toBe(sum);
  });

  it("tells equity at the end of days as the exchange told it, and changes that add up", () => {
    const rows = rowsOf(13).filter(({ account }) => account === "main");
    const expected = rows.map(({ day }) =>
      toldAt("equity", `${day}T23:59:59.999Z`).find(({ account }) => account === "main"),
    );
    expect(rows.map(({ usdt_equity }) => usdt_equity)).toEqual(expected.map((row) => row?.usdt_equity));
    const changes = rows.slice(1).reduce((sum, { change }) => sum + whole(change), 0n);
    expect(changes).toBe(whole(rows.at(-1)?.usdt_equity) - whole(rows[0]?.usdt_equity));
    expect(rows.length).toBe(14);
  });

  it("adds up what changed between two days by what was told on both", () => {
    const amounts = (instant: string) =>
      new Map(
        toldAt("spot-assets", instant).map((row) => [
          `${row.account} ${row.coin}`,
          whole(row.available) + whole(row.frozen) + whole(row.locked),
        ]),
      );
    const before = amounts("2026-10-06T00:00:00Z");
    const after = amounts("2026-10-07T00:00:00Z");
    const changes = [...new Set([...before.keys(), ...after.keys()])]
      .map((key) => [key, (after.get(key) ?? 0n) - (before.get(key) ?? 0n)] as const)
      .filter(([, change]) => change !== 0n);
    const rows = rowsOf(5).map(({ account, coin, change }) => [`${account} ${coin}`, whole(change)] as const);
    expect(rows.length).toBe(11);
    expect(new Map(rows)).toEqual(new Map(changes));
  });

  it("says of every day how many slots were due, and what became of them", () => {
    const days = rowsOf(17).filter(({ account, dataset }) => account === "main" && dataset === "positions");
    expect(days.map(({ day, due, ok, partial, missed }) => [day, due, ok, partial, missed])).toEqual([
      ["2026-10-04", "24", "21", "3", "0"],
      ["2026-10-05", "24", "21", "0", "3"],
    ]);
  });
});

it.skipIf(!shell).each([...viewsOf(datasets).keys()])(`sqlite3 ${shell} reads %s as this program does`, (view) => {
  // An answer without rows has no header in the shell.
  const sorted = (text: string) => text.split("\n").slice(1).sort();
  const sql = `select * from ${view}`;
  expect(sorted(inShell(sql) || "\n")).toEqual(sorted(answer(sql)));
});
