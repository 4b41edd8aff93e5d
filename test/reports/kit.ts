/** Helpers of report tests: reports as rows by column name, and an account to report on. */

import { pause } from "../../src/core/async/cooperate.ts";
import type { Row, Scope } from "../../src/core/domain.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { equity } from "../../src/datasets/snapshots/equity.ts";
import { fundingAssets } from "../../src/datasets/snapshots/funding-assets.ts";
import { mixAccounts } from "../../src/datasets/snapshots/mix-accounts.ts";
import { positions } from "../../src/datasets/snapshots/positions.ts";
import { prices } from "../../src/datasets/snapshots/prices.ts";
import { spotAssets } from "../../src/datasets/snapshots/spot-assets.ts";
import type { Span } from "../../src/queries/periods.ts";
import type { Source } from "../../src/queries/source.ts";
import { reportNamed } from "../../src/reports/index.ts";
import { headerOf } from "../../src/reports/report.ts";
import { openHistory } from "../../src/store/read/open-history.ts";
import type { Store } from "../../src/store/store.ts";
import { collect, good, item } from "../store/kit.ts";

export const hour = 3_600_000;

/** Returns the rows of a report; counts are numbers. */
export function reportRows(path: string, name: string, span: Span, source: Partial<Source> = {}) {
  const report = reportNamed(name);
  if (!report) throw new Error(`there is no report ${name}`);
  const history = openHistory(path);
  try {
    const columns = headerOf(report, span);
    return [...report.rows({ history, account: null, now: Number.MAX_SAFE_INTEGER, ...source }, span)]
      .filter((row) => row !== pause)
      .map((row) => {
        if (row.length !== columns.length) throw new Error(`${row.length} cells in ${columns.length} columns`);
        return Object.fromEntries(
          columns.map((column, at) => [column, typeof row[at] === "bigint" ? Number(row[at]) : (row[at] ?? null)]),
        );
      });
  } finally {
    history.close();
  }
}

/** Returns the cells of the given columns, each row as one line; "-" is unknown. */
export const lines = (rows: ReturnType<typeof reportRows>, ...columns: string[]): string[] =>
  rows.map((row) => columns.map((column) => row[column] ?? "-").join(" "));

export const days = (from: string, to: string, timezone = "UTC"): Span => ({
  timezone,
  by: "day",
  from: Date.parse(from),
  to: Date.parse(to),
});

/** Puts a schedule in force from `since` on, for every dataset. */
export async function scheduleAll(store: Store, pattern: string, since: number, account = "main"): Promise<void> {
  for (const dataset of [spotAssets, fundingAssets, mixAccounts, positions, equity])
    await store.setSchedule(account, dataset.name, pattern, since);
  await store.setSchedule("public", prices.name, pattern, since);
}

/** Stores a run whose snapshots have the time of its slot. */
export function storeRun(
  store: Store,
  dataset: Dataset,
  slot: number,
  rows: Row[],
  scope: Scope = null,
  account = "main",
) {
  const snapshot = good(
    rows.map((row) => item(dataset, row)),
    slot,
    scope,
  );
  return collect(store, dataset, slot, { snapshots: [snapshot] }, dataset.public ? "public" : account);
}

export const equityRow = (usdtEquity: string | null, complete: 0 | 1 = 1): Row => ({
  usdtEquity,
  spotUsdt: usdtEquity,
  complete,
});

export const btc = (available: string, frozen = "0", locked: string | null = "0"): Row => ({
  coin: "BTC",
  available,
  frozen,
  locked,
});
