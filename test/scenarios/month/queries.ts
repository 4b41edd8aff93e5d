/** The queries of the test: reproducible random times and spans, and the documented query. */
import { readFileSync } from "node:fs";
import type { DatasetName } from "../../../src/core/domain.ts";
import { datasets } from "../../../src/datasets/index.ts";
import type { Filter, Span } from "../../../src/store/history.ts";
import { pseudoRandom } from "../../store/minutes.ts";
import { viewOf } from "../../support/declared.ts";
import { hour, periodAt, type SimulatedMonth } from "./simulate.ts";
import { iso, type Truth } from "./truth.ts";

const seedOf = (dataset: DatasetName): number => 100 + datasets.findIndex(({ name }) => name === dataset);

/** Returns random times within the month and shortly outside it, and the exact milliseconds at which a result begins and ends to apply. */
export function instants({ began, ended }: SimulatedMonth, truth: Truth, dataset: DatasetName): number[] {
  const random = pseudoRandom(seedOf(dataset));
  const from = began - 6 * hour;
  const anywhere = Array.from({ length: 130 }, () => from + random(ended + 6 * hour - from));
  const all = truth.snapshots.filter((one) => one.dataset === dataset);
  const edges = Array.from({ length: 60 }, (_, at) => {
    const { takenAt = 0, slot = 0 } = all[random(all.length)] ?? {};
    const until = slot + 2 * periodAt(slot);
    return [takenAt, takenAt - 1, until, until + 1][at % 4] ?? 0;
  });
  return [...anywhere, ...edges];
}

const filters: Record<DatasetName, Filter[]> = {
  "spot-assets": [{}, { coin: "BTC" }, { coin: "SOL", account: "hedge" }, { account: "main" }],
  "funding-assets": [{}, { coin: "USDT" }, { account: "hedge" }],
  "mix-accounts": [
    {},
    { product_type: "umcbl" },
    { product_type: "unified" },
    { account: "hedge", product_type: "dmcbl" },
  ],
  positions: [{}, { symbol: "BTCUSDT" }, { product_type: "umcbl", account: "main" }, { symbol: "ETHPERP" }],
  prices: [{}, { coin: "AURUM" }, { coin: "ETH" }],
  equity: [{}, { account: "main" }, { account: "nobody" }],
};

/** Returns the whole month first; every other query is limited to the newest rows. */
export function spans(
  { began, ended }: SimulatedMonth,
  dataset: DatasetName,
): { filter: Filter; span: Span & { newest: number } }[] {
  const random = pseudoRandom(seedOf(dataset));
  const chosen = filters[dataset] ?? [{}, { account: "main" }];
  return Array.from({ length: 17 }, (_, at) => {
    const from = at === 0 ? 0 : began + random(ended - began);
    const to = at === 0 ? ended + hour : from + random((ended - began) / 3);
    const newest = at % 2 === 0 ? Number.POSITIVE_INFINITY : 1 + random(60);
    return { filter: chosen[at % chosen.length] ?? {}, span: { from, to, newest } };
  });
}

const guide = readFileSync("docs/guides/querying.md", "utf8");

/** Returns the query of the guide, which is about positions, for any dataset. */
export function documented(dataset: DatasetName, instant: number): string {
  const sql = /```sql\n([^`]*-- the instant\n[^`]*)```/.exec(guide)?.[1];
  if (!sql) throw new Error("the guide has no query for an instant");
  return sql
    .replace(/'[^']*'( -- the instant)/, `'${iso(instant)}'$1`)
    .replace(/'[^']*'( -- two periods before it)/, `'${iso(instant - 2 * periodAt(instant))}'$1`)
    .replaceAll("positions_history", viewOf(dataset))
    .replaceAll("'positions'", `'${dataset}'`);
}
