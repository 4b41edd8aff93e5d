import { expect, it } from "vitest";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import { btc, equityRow } from "../reports/kit.ts";
import { collect, failed, minute, start } from "../store/kit.ts";
import { startAccounts } from "./account.ts";

const part = (page: string, id: string): string => new RegExp(`id="${id}"[\\s\\S]*?</section>`).exec(page)?.[0] ?? "";

type Row = Record<string, string | number | null>;

/** Returns the number of slots without a complete run by dataset. */
function bad(rows: readonly Row[], ...columns: string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const row of rows) {
    const count = columns.reduce((all, column) => all + Number(row[column]), 0);
    if (count > 0) found[String(row.dataset)] = (found[String(row.dataset)] ?? 0) + count;
  }
  return found;
}

it("counts the same slots in the calendar, the gaps and the last error, also those that no process has written", async () => {
  const { record, store, page, json, goTo } = await startAccounts({ minutes: 4 });
  await record(spotAssets, 0, [btc("1")]);
  await store.closeSlots("main", "spot-assets", [{ slot: start + minute, state: "missed", cause: "asleep" }]);
  await collect(store, spotAssets, start + 2 * minute, { failures: [failed("40014", start + 2 * minute)] });
  await record(spotAssets, 3, [btc("1")]);
  await record(equity, 0, [equityRow("1")]);
  for (const minutes of [4, 40, 1500, 60 * 24 * 40]) {
    goTo(minutes);
    const { rows: slots } = await json("/api/slots");
    const { rows: gaps } = await json("/api/gaps");
    const inCalendar = bad(slots, "partial", "failed", "missed", "skipped");
    expect(Object.keys(bad(gaps, "slots")).sort(), `${minutes}`).toEqual(Object.keys(inCalendar).sort());
    // The calendar begins at a midnight; a gap that began earlier has all of its slots.
    if (minutes <= 1500) expect(bad(gaps, "slots")).toEqual(inCalendar);
    const found = await page("/collection");
    expect(part(found, "outages")).not.toContain("No gaps");
    expect(part(found, "calendar")).toContain("missed");
    const stale = (await json("/api/collection")).rows.filter(({ state }: Row) => state === "stale");
    for (const { trouble, trouble_at: at } of stale) expect([trouble, at]).not.toContain(null);
  }
  const [, row = ""] = part(await page("/collection"), "outages")
    .split("<tr")
    .slice(1);
  expect(row).toContain("The collector is not running, or is blocked");
});

it("shows no gap and nothing missed while every slot has its run, and no next run while no process collects", async () => {
  const { record, page, json } = await startAccounts({ minutes: 1 });
  for (const at of [0, 1]) await record(spotAssets, at, [btc("1")]);
  const gaps = (await json("/api/gaps")).rows.filter(({ dataset }: Row) => dataset === "spot-assets");
  const slots = (await json("/api/slots")).rows.filter(({ dataset }: Row) => dataset === "spot-assets");
  expect([gaps, bad(slots, "partial", "failed", "missed")]).toEqual([[], {}]);
  expect(part(await page("/collection"), "collection")).not.toContain("the collector is not running");
  const stopped = await startAccounts({ minutes: 1, daemon: null });
  expect(part(await stopped.page("/collection"), "collection")).toContain('title="the collector is not running"');
});
