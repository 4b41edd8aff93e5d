/** Datasets as another version of the program may know them, and what its migration does to the tables. */
import { type Column, snakeCase } from "../../src/core/columns.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { layoutOf } from "../../src/store/schema/storage-layout.ts";
import { change } from "./kit.ts";

/** The dataset with another column, declared before the others so that nothing rests on the order. */
export const withColumn = (dataset: Dataset, name: string, column: Column): Dataset => ({
  ...dataset,
  columns: { [name]: column, ...dataset.columns },
});

/** Adds the columns of a dataset that came later to its tables. */
export function addColumns(path: string, dataset: Dataset): void {
  const { prefix, later } = layoutOf(dataset);
  for (const { name, part } of later) {
    const type = dataset.columns[name]?.kind === "decimal" ? "blob" : "text";
    change(path, `alter table ${prefix}_${part} add column ${snakeCase(name)} ${type}`);
  }
}

/** The dataset as another version of the program might read it. */
export function reading(
  dataset: Dataset,
  change: (items: ReturnType<NonNullable<Dataset["sources"]["v2"]>["items"]>) => typeof items,
): Dataset {
  const { v2 } = dataset.sources;
  if (!v2) throw new Error(`${dataset.name} has no v2`);
  return { ...dataset, sources: { v2: { ...v2, items: (data, context) => change(v2.items(data, context)) } } };
}
