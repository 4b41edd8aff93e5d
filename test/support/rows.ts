import type { Row } from "../../src/core/domain.ts";
import type { AnyDataset } from "../../src/datasets/incremental.ts";

/** Returns a row with null in every column that is not given. */
export const rowOf = (dataset: AnyDataset, cells: Row): Row => ({
  ...Object.fromEntries(Object.keys(dataset.columns).map((name) => [name, null])),
  ...cells,
});
