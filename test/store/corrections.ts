/** Simulates a version of the program that parses positions differently, and shows what it finds in a database. */
import type { Dataset } from "../../src/datasets/dataset.ts";
import { snapshotDatasetNamed } from "../../src/datasets/index.ts";
import type { Replayed } from "../../src/store/responses/comparison.ts";
import { type Corrected, correct } from "../../src/store/responses/correct.ts";
import type { First } from "../../src/store/responses/correction.ts";
import { replay } from "../../src/store/responses/replay.ts";
import { reading } from "./later.ts";

/** Parses positions with another digit in their profits, and without GHOSTUSDT. */
export const other: Dataset = reading(snapshotDatasetNamed("positions"), (items) =>
  items
    .filter(({ row }) => row.symbol !== "GHOSTUSDT")
    .map(({ row, extra }) => ({ row: { ...row, unrealizedPl: `${row.unrealizedPl}1` }, extra })),
);

/** Parses spot assets without GHOST. */
export const otherCoins: Dataset = reading(snapshotDatasetNamed("spot-assets"), (items) =>
  items.filter(({ row }) => row.coin !== "GHOST"),
);

export const replayed = (path: string, dataset: Dataset): Replayed[] => [...replay(path, dataset, 0)];

export const outcomes = (path: string, dataset: Dataset): string[] => [
  ...new Set(replayed(path, dataset).map(({ outcome }) => outcome)),
];

export function firstsOf(path: string, dataset: Dataset): First[] {
  const different = replayed(path, dataset).filter(({ outcome }) => outcome === "different");
  return different.filter((one, at) => different.findIndex(({ scopeId }) => scopeId === one.scopeId) === at);
}

export const corrected = (path: string, dataset: Dataset, now = 0): Promise<Corrected> =>
  correct(path, dataset, firstsOf(path, dataset), { now });
