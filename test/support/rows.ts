import type { Row } from "../../src/core/domain.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";

/** Returns a row with null in every column that is not given. */
export const rowOf = (dataset: Dataset, cells: Row): Row => ({
  ...Object.fromEntries(Object.keys(dataset.columns).map((name) => [name, null])),
  ...cells,
});
