/** The tax records of a classic account: another list of the same entries, whose pages begin with the oldest row. */
import { expect, it } from "vitest";
import { normalize } from "../../../src/core/decimal.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { fastClock } from "../../bitget/support.ts";
import { classic, credentials } from "../../support/settings.ts";
import { createWorld, type World } from "../../support/world.ts";

const minute = 60_000;
const start = Date.parse("2026-10-20T10:00:00Z");
const settings = {
  ...credentials(classic),
  SCHEDULE_BILLS: "*/30 * * * *",
  SCHEDULE_TAX_RECORDS: "*/30 * * * *",
  BITGET_PRODUCT_TYPES: "umcbl",
  RUN_DEADLINE_SECONDS: "1800",
};

const newWorld = (more: Record<string, string> = {}) =>
  createWorld(
    "2026-10-20T09:58:00Z",
    { ...settings, ...more },
    {
      accounts: [classic],
      from: start - 12 * 60 * minute,
      habits: { activity: 48, usesMargin: true },
      // Two years in spans of 30 days, one request a second.
      pace: fastClock(10),
    },
  );

const states = (world: World, dataset: string) =>
  world
    .rows(`select state from runs where dataset = '${dataset}' order by run_id`)
    .map((row) => (row as { state: string }).state);

const entries = (view: "bills" | "tax_records", balance = "balance") => `
  select wallet, coin, at_ms, amount, fee, ${balance} as balance, symbol, order_id from ${view} order by wallet, at_ms, coin, amount, fee, 6`;

/** Rows with their amounts as numbers are written without trailing zeros. */
const normalized = (rows: unknown[]) =>
  rows.map((row) => {
    const { amount, fee, balance, ...rest } = row as Record<string, string | null>;
    const digits = [amount, fee, balance].map((text) => (text == null ? null : normalize(text)));
    return { ...rest, symbol: rest.symbol ?? "", digits };
  });

it("are the entries of the ledger once more, each once, under other ids", async () => {
  const world = await newWorld();
  for (let at = start; at <= start + 2 * 60 * minute; at += 30 * minute) await world.at(at);
  expect(states(world, "tax-records").at(-1)).toBe("ok");
  // A list of futures has no balances.
  const tax = normalized(world.rows(entries("tax_records")));
  const balance = "case when wallet in ('spot', 'funding') or wallet like 'margin%' then balance end";
  const bills = normalized(world.rows(entries("bills", balance)));
  expect(tax.length).toBeGreaterThan(50);
  expect(tax).toEqual(bills);
  const ids = "select count(*) as n, count(distinct wallet || record_id) as ids from tax_records";
  expect(world.rows(ids)).toEqual([{ n: tax.length, ids: tax.length }]);
  expect(world.rows("select 1 from tax_records join bills on bill_id = record_id")).toEqual([]);
  expect((await verify(world.path, datasets)).problems).toEqual([]);
});

it("are not requested unless they have a schedule", async () => {
  const world = await newWorld({ SCHEDULE_TAX_RECORDS: "" });
  await world.at(start);
  expect(states(world, "tax-records")).toEqual([]);
  expect(world.rows("select 1 from gaps where dataset = 'tax-records'")).toEqual([]);
});

it("that the key may not read are a gap with its cause", async () => {
  const world = await createWorld("2026-10-20T09:58:00Z", settings, {
    accounts: [{ ...classic, reads: ["coor", "cpor", "stor", "smor", "wtor"] }],
    from: start - 60 * minute,
  });
  for (let at = start; at <= start + 60 * minute; at += 30 * minute) await world.at(at);
  expect(states(world, "bills")).toEqual(["ok", "ok", "ok"]);
  expect(new Set(states(world, "tax-records"))).toEqual(new Set(["failed"]));
  expect(world.rows("select distinct cause from gaps where dataset = 'tax-records'")).toEqual([{ cause: "40014" }]);
});
