/** Tests what is read in advance, and what a page says of figures that are still being read. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { within } from "../../src/core/async/cooperate.ts";
import { dayMs } from "../../src/core/time.ts";
import { bills } from "../../src/datasets/ledger/bills.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import type { HistoryReader } from "../../src/store/history.ts";
import { prune } from "../../src/store/retention/prune.ts";
import { Curves } from "../../src/web/curves/curves.ts";
import { PaidCache } from "../../src/web/curves/profit/paid.ts";
import { ProfitCurves } from "../../src/web/curves/profit/profit-curve.ts";
import { shownSpan } from "../../src/web/data/performance/performance.ts";
import { readDrawdown } from "../../src/web/data/results/drawdown.ts";
import { type Advance, createAdvance } from "../../src/web/pages/advance.ts";
import { createView } from "../../src/web/pages/parts/query-params.ts";
import { performancePage } from "../../src/web/pages/performance/performance.ts";
import { equityRow } from "../reports/kit.ts";
import { collect, minute, start } from "../store/kit.ts";
import { startAccounts } from "./account.ts";

const hour = 60;
const days = 40;
/** More than the hours of the shown day, which are read again each time, and less than those of the span. */
const pauses = 200;

/** Records an equity every hour, which falls from 100 to 61 and stays there. */
async function startLoss() {
  const started = await startAccounts({ minutes: days * 24 * hour });
  await started.store.setSchedule("main", "equity", "0 * * * *", start - minute);
  for (let at = 0; at < days * 24; at += 1)
    await started.record(equity, at * hour, [equityRow(String(Math.max(61, 100 - at)))]);
  const curves = new Curves();
  const paid = new PaidCache();
  const readers = { curves, paid, profits: new ProfitCurves(curves, paid) };
  const page = (advance: Advance) =>
    started.site.reader.readInSteps(function* (history) {
      const view = createView(
        history,
        { account: null, at: null, isExact: false, params: { span: "1y" } },
        started.site,
      );
      return String(yield* performancePage(view, undefined as never, { advance }));
    });
  return { ...started, readers, page };
}

/** Requests a page until it has everything. */
async function complete(page: () => Promise<string>): Promise<string> {
  for (;;) {
    const text = await page();
    if (!text.includes("data-reading")) return text;
    await sleep(20);
  }
}

it("says of a drawdown that takes too long that it is being read, and shows it when it is", async () => {
  const { site, readers, page } = await startLoss();
  const advance = createAdvance(site, readers, pauses);
  expect(await page(advance)).toContain("<span data-reading>being read…</span>");
  expect(await complete(() => page(advance))).toContain("39.0 %");
});

it("reads a year in advance, so that no page waits for it", async () => {
  const { site, readers, page } = await startLoss();
  // Reads nothing after a page has given up.
  const idle: Advance = {
    begin() {},
    drawdown: (view) => within(readDrawdown(view, shownSpan(view).from), pauses),
  };
  expect(await page(idle)).toContain("data-reading");
  createAdvance(site, readers, pauses).begin();
  expect(await complete(() => page(idle))).toContain("39.0 %");
});

it("keeps what was read in advance while pages read what is newer, but nothing from before a correction", async () => {
  const { store, site, record } = await startLoss();
  const span = (history: HistoryReader) =>
    createView(history, { account: null, at: null, isExact: false, params: { span: "1y" } }, site);
  /** Reads the drawdown and returns the number of its steps; waits after some of them. */
  const read = (after = 0, wait = async () => {}) =>
    site.reader.read(async (history) => {
      const work = readDrawdown(span(history), shownSpan(span(history)).from);
      for (let steps = 0; ; steps += 1) {
        if (steps === after) await wait();
        if (work.next().done) return steps;
      }
    });
  const later = (change: () => Promise<unknown>) => async () => {
    await change();
    await site.reader.readInSteps(function* (history) {
      yield* readDrawdown(span(history), site.now());
    });
  };
  const recorded = later(() => record(equity, days * 24 * hour, [equityRow("61")]));
  expect(await read(pauses, recorded)).toBeGreaterThan(1500);
  expect(await read()).toBeLessThan(pauses);
  store.close();
  const pruned = later(() => prune(site.databasePath, [equity], start + 10 * dayMs));
  await read(1, pruned);
  expect(await read()).toBeGreaterThan(pauses);
});

it("shows a drawdown also where nothing of it can be kept, because the ledger was not read for long", async () => {
  const { store, site, readers, page } = await startLoss();
  await store.setSchedule("main", bills.name, "0 * * * *", start - minute);
  const reading = { through: start + dayMs, window: null, hole: null };
  const snapshots = [{ scope: "spot" as const, takenAt: start + dayMs, items: [], reading }];
  await collect(store, bills, start + dayMs, { snapshots });
  const advance = createAdvance(site, readers, pauses);
  expect(await page(advance)).toContain("data-reading");
  expect(await complete(() => page(advance))).toContain("Largest drawdown");
});
