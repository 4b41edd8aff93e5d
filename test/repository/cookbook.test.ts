/**
 * Runs the queries of the cookbook as they are printed there on a simulated history that is the same every time, and compares
 * their results with stored ones. After an intended change run `npx vitest run test/repository/cookbook.test.ts -u` and read the
 * difference.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServedSnapshot, TrueRow } from "../../src/simulator/simulator.ts";
import { addDecimalFunctions } from "../../src/store/sql/decimal-functions.ts";
import { prepareQuery } from "../../src/store/sql/query.ts";
import { simulateFortnight } from "../support/fortnight.ts";
import { storeLedger } from "../support/ledger-history.ts";
import { inProgram, inShell, shell } from "../support/sqlite-shell.ts";

const page = readFileSync("docs/cookbook.md", "utf8");
const queries = page
  .split("\n## ")
  .slice(1)
  .map((text) => [text.slice(0, text.indexOf("\n")), /```sql\n([\s\S]*?)```/.exec(text)?.[1] ?? ""] as const);

/** `9. Distance to liquidation, now and ever` -> `9-distance-to-liquidation-now-and-ever`, as GitHub generates it. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");

/** Returns the name of the file with the expected result. */
const fileOf = (title: string): string => `${anchorOf(title).replace(/^\d-/, "0$&")}.txt`;

const folder = mkdtempSync(join(tmpdir(), "collector-cookbook-"));
const path = join(folder, "collector.db");
const ledgerPath = join(folder, "ledger.db");
let database: Database.Database;
let ledger: Database.Database;
let record: ServedSnapshot[];

function openReadOnly(file: string): Database.Database {
  const opened = new Database(file, { readonly: true });
  addDecimalFunctions(opened);
  return opened;
}

beforeAll(async () => {
  record = await simulateFortnight(path);
  await storeLedger(ledgerPath);
  database = openReadOnly(path);
  ledger = openReadOnly(ledgerPath);
});

/** Returns true for a query on the exchange's ledger, of which the fortnight has none. */
const isOnLedger = (title: string): boolean => Number.parseInt(title, 10) > 20;

afterAll(() => {
  database.close();
  ledger.close();
  rmSync(folder, { recursive: true });
});

const results = new Map<string, string>();

/** Returns the result of `sql`, which runs once. */
function resultOf(sql: string, on = database): string {
  const result = results.get(sql) ?? inProgram(sql, on);
  results.set(sql, result);
  return result;
}

/** Returns the rows of the query with this number. */
const rowsOf = (number: number): Record<string, string | null>[] => {
  const { columns, rows } = prepareQuery(database, queries[number - 1]?.[1] ?? "");
  return [...rows()].map((cells) =>
    Object.fromEntries(columns.map((name, index) => [name, cells[index] == null ? null : String(cells[index])])),
  );
};

/** Returns the rows of the last response for each account and scope in the two hours before a time. */
function sentBefore(dataset: string, instant: string): (TrueRow & { account: string })[] {
  const to = Date.parse(instant);
  const sent = record.filter(
    (one) => one.dataset === dataset && !one.edited && one.takenAt <= to && one.takenAt > to - 7_200_000,
  );
  const last = new Map(sent.map((one) => [`${one.account} ${one.scope}`, one]));
  return [...last.values()].flatMap(({ account, rows }) => rows.map((row) => ({ account, ...row })));
}

/** Returns a decimal in units of its 40th place. */
function whole(digits: unknown): bigint {
  const [, sign, integer = "", fraction = ""] = /^(-?)(\d+)\.?(\d*)$/.exec(String(digits)) ?? [];
  return BigInt(`${sign}${integer}${fraction.padEnd(40, "0")}`);
}

describe("the cookbook", () => {
  it("has thirty queries, each in the index and with an expected result", () => {
    const anchors = queries.map(([title]) => anchorOf(title));
    expect(queries.length).toBe(30);
    expect([...page.matchAll(/\]\(#([^)]*)\)/g)].map((match) => match[1])).toEqual(anchors);
    expect(readdirSync("test/fixtures/cookbook").sort()).toEqual(queries.map(([title]) => fileOf(title)).sort());
  });

  it.each(queries)("has the expected result for %s", async (title, sql) => {
    await expect(resultOf(sql, isOnLedger(title) ? ledger : database)).toMatchFileSnapshot(
      `../fixtures/cookbook/${fileOf(title)}`,
    );
  });

  it.skipIf(!shell).each(queries)(`has the same result in sqlite3 ${shell}: %s`, (title, sql) => {
    const [file, opened] = isOnLedger(title) ? [ledgerPath, ledger] : [path, database];
    expect(inShell(sql, file)).toBe(resultOf(sql, opened));
  });

  it("shows a coin over time as the exchange sent it", () => {
    const day = "2026-10-02";
    const sent = record.filter(
      ({ dataset, takenAt }) => dataset === "spot-assets" && new Date(takenAt).toISOString().startsWith(day),
    );
    const expected = sent.flatMap(({ account, takenAt, rows }) =>
      rows
        .filter(({ coin }) => coin === "USDT")
        .map(({ available }) => `${account} ${new Date(takenAt).toISOString()} ${available}`),
    );
    const rows = rowsOf(1).map(({ account, taken_at, available }) => `${account} ${taken_at} ${available}`);
    expect(rows.length).toBe(47);
    expect(rows).toEqual(expected.sort());
  });

  it("shows all positions at a time as the exchange sent them", () => {
    const columns = ["account", "product_type", "symbol", "hold_side", "total", "unrealized_pl", "liquidation_price"];
    const line = (row: Record<string, unknown>) => columns.map((name) => row[name]).join(" ");
    // At 07:00 and 08:00 one product type was refused: its positions are unknown at 08:30.
    const expected = sentBefore("positions", "2026-10-04T08:30:00Z").map(line).sort();
    expect(expected.length).toBe(12);
    expect(rowsOf(3).map(line).sort()).toEqual(expected);
  });

  it("adds up the value of the coins to the last digit", () => {
    const instant = "2026-10-10T23:30:00Z";
    const prices = new Map(sentBefore("prices", instant).map(({ coin, price }) => [coin, price]));
    prices.set("USDT", "1");
    const held = [...sentBefore("spot-assets", instant), ...sentBefore("funding-assets", instant)];
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

  it("shows equity at the end of days as the exchange sent it, with changes that add up", () => {
    const rows = rowsOf(13).filter(({ account }) => account === "main");
    const expected = rows.map(({ day }) =>
      sentBefore("equity", `${day}T23:59:59.999Z`).find(({ account }) => account === "main"),
    );
    expect(rows.map(({ usdt_equity }) => usdt_equity)).toEqual(expected.map((row) => row?.usdt_equity));
    const changes = rows.slice(1).reduce((sum, { change }) => sum + whole(change), 0n);
    expect(changes).toBe(whole(rows.at(-1)?.usdt_equity) - whole(rows[0]?.usdt_equity));
    expect(rows.length).toBe(14);
  });

  it("shows the changes between two days as the differences of both states", () => {
    const amounts = (instant: string) =>
      new Map(
        sentBefore("spot-assets", instant).map((row) => [
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

  it("counts the due slots of every day by outcome", () => {
    const days = rowsOf(17).filter(({ account, dataset }) => account === "main" && dataset === "positions");
    expect(days.map(({ day, due, ok, partial, missed }) => [day, due, ok, partial, missed])).toEqual([
      ["2026-10-04", "24", "21", "3", "0"],
      ["2026-10-05", "24", "21", "0", "3"],
    ]);
  });
});
