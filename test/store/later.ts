/** Simulates datasets of another version of the program, and the migration of their tables. */
import { type Column, snakeCase } from "../../src/core/columns.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { layoutOf } from "../../src/store/schema/storage-layout.ts";
import { change } from "./kit.ts";

/** Returns the dataset with one more column, declared first so that no code depends on the order. */
export const withColumn = (dataset: Dataset, name: string, column: Column): Dataset => ({
  ...dataset,
  columns: { [name]: column, ...dataset.columns },
});

/** Adds columns that are marked as added later to the tables of a dataset. */
export function addColumns(path: string, dataset: Dataset): void {
  const { prefix, later } = layoutOf(dataset);
  for (const { name, part } of later) {
    const type = dataset.columns[name]?.kind === "decimal" ? "blob" : "text";
    change(path, `alter table ${prefix}_${part} add column ${snakeCase(name)} ${type}`);
  }
}

/** Returns the dataset with another mapper, as another version of the program may have. */
export function reading(
  dataset: Dataset,
  change: (items: ReturnType<NonNullable<Dataset["sources"]["v2"]>["items"]>) => typeof items,
): Dataset {
  const { v2 } = dataset.sources;
  if (!v2) throw new Error(`${dataset.name} has no v2`);
  return { ...dataset, sources: { v2: { ...v2, items: (data, context) => change(v2.items(data, context)) } } };
}
