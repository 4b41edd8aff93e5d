/** Generates the table of datasets, from their declarations. */
import type { ApiVersion } from "../../src/core/domain.ts";
import { type AnyDataset, sourcesOf } from "../../src/datasets/incremental.ts";
import { datasets as all } from "../../src/datasets/index.ts";
import { table } from "./markdown.ts";

/** Returns how an API version provides a dataset; an empty text if it does not. */
function offerOf(dataset: AnyDataset, version: ApiVersion): string {
  const [source] = sourcesOf(dataset, version);
  if (!source) return "";
  return source.endpoint ? "✓" : "computed";
}

export const datasets = (): string =>
  table(
    ["dataset", "what", "v1", "v2 (classic)", "v3 (unified)"],
    all.map((dataset) => [
      `\`${dataset.name}\``,
      dataset.summary,
      ...(["v1", "v2", "v3"] as const).map((version) => offerOf(dataset, version)),
    ]),
  );
