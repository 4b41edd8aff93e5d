/** Two accounts of the simulated exchange, one of which is upgraded, and what the report of their profit must be. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { absolute, add, compare, subtract, sum } from "../../src/core/decimal.ts";
import type { DecimalString } from "../../src/core/domain.ts";
import { dayMs } from "../../src/core/time.ts";
import { classic, credentials, unified } from "../support/settings.ts";
import { openWorld, type World } from "../support/world.ts";
import { reportRows } from "./kit.ts";

const start = Date.parse("2026-01-01T00:00:00Z");
/** At the hour of a funding payment. */
const schedule = "0 0 0 * * *";
const names = ["SPOT_ASSETS", "FUNDING_ASSETS", "MIX_ACCOUNTS", "PRICES", "EQUITY", "BILLS", "WITHDRAWALS"];
const settings = {
  ...Object.fromEntries(names.map((name) => [`SCHEDULE_${name}`, schedule])),
  BITGET_ACCOUNTS: "main,hedge",
  ...credentials(classic),
  ...credentials(unified, "BITGET_HEDGE"),
};

export type Row = ReturnType<typeof reportRows>[number];

/** What a life of so many days left, with `main` upgraded to a unified account at the beginning of `upgradedOn` (from 0). */
export interface Life {
  path: string;
  byDay: Row[];
  byMonth: Row[];
  returnsByDay: Row[];
  /** Returns the sum of the entries of no known kind, which no term has. */
  unclassified(row: Row): DecimalString;
  close(): Promise<void>;
}

export async function live(days: number, upgradedOn: number): Promise<Life> {
  const folder = mkdtempSync(join(tmpdir(), "collector-test-"));
  const world = await openWorld(join(folder, "collector.db"), "2025-12-31T23:59:30Z", settings, {
    accounts: [classic, unified],
    from: start - dayMs / 2,
    habits: { hasCashFlows: true },
  });
  for (let day = 0; day <= days; day++) {
    if (day === upgradedOn) world.exchange.upgrade(classic.name);
    await world.at(start + day * dayMs);
  }
  const report = (by: "day" | "month", name = "pnl") =>
    reportRows(world.path, name, { timezone: "UTC", by, from: start, to: start + days * dayMs });
  return {
    path: world.path,
    byDay: report("day"),
    byMonth: report("month"),
    returnsByDay: report("day", "returns"),
    unclassified: unclassifiedIn(world),
    async close() {
      await world.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Returns a function that gives the sum of the entries of no known kind between the closes of a row, which no term has. */
function unclassifiedIn(world: World): (row: Row) => DecimalString {
  const all = world.rows("select account, at, amount from bills where kind = 'other' and coin = 'USDT'") as Record<
    "account" | "at" | "amount",
    string
  >[];
  return ({ account, opening_at, closing_at }) =>
    sum(
      all
        .filter((one) => one.account === account && one.at > String(opening_at) && one.at <= String(closing_at))
        .map(({ amount }) => amount),
    );
}

const results = ["realized", "funding", "fees", "interest", "unrealized", "prices"];
const terms = ["flows", ...results, "other", "unexplained"];

/** Balances and equities are cut to eight places. Unit: USDT. */
const cutOff = "0.0000003";

const cell = (row: Row, name: string): DecimalString => String(row[name]);
const isExplained = ({ unexplained, prices, flows, other }: Row): boolean =>
  ![unexplained, prices, flows, other].includes(null);

/** Expects every row to add up to the last digit, and what is not explained to be what has no kind. Returns the rows with every term. */
export function expectExplained({ byDay, byMonth, unclassified }: Life): Row[] {
  const explained = byDay.filter(isExplained);
  for (const row of [...byDay, ...byMonth].filter(({ change }) => change !== null)) {
    const known = terms.filter((name) => row[name] !== null);
    expect(sum(known.map((name) => cell(row, name)))).toBe(row.change);
    expect(subtract(cell(row, "closing"), cell(row, "opening"))).toBe(row.change);
    if (!isExplained(row)) continue;
    expect(sum(results.map((name) => cell(row, name)))).toBe(row.profit);
    const other = unclassified(row);
    const rest = subtract(cell(row, "unexplained"), other);
    expect([row.day ?? row.month, row.account, compare(absolute(rest), cutOff)]).toEqual([
      row.day ?? row.month,
      row.account,
      -1,
    ]);
    expect(row.unknown).toBe(other === "0" ? null : "what an entry of USDT is");
  }
  for (const month of byMonth.filter(isExplained)) expectSum(month, byDay);
  return explained;
}

/** Expects each term of a month to be the sum of its days, to the last digit. */
function expectSum(month: Row, byDay: readonly Row[]): void {
  const own = byDay.filter(({ account, day }) => account === month.account && String(day).startsWith(`${month.month}`));
  for (const name of ["change", ...terms])
    expect([month.month, name, own.map((row) => cell(row, name)).reduce(add, "0")]).toEqual([
      month.month,
      name,
      month[name],
    ]);
}
