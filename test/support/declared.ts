/** Facts that tests derive from the declarations of the datasets instead of listing them. */
import { snakeCase } from "../../src/core/columns.ts";
import type { ApiVersion, DatasetName, ProductType, Scope } from "../../src/core/domain.ts";
import type { AnyDatasetSource, Dataset } from "../../src/datasets/dataset.ts";
import { datasets, snapshotDatasetNamed, snapshotDatasets } from "../../src/datasets/index.ts";
import { isModelled, type TrueRow } from "../../src/simulator/simulator.ts";

/** The default of BITGET_PRODUCT_TYPES. */
export const productTypes = ["umcbl", "dmcbl", "cmcbl", "sumcbl"] as const satisfies ProductType[];

export const snapshotNames: readonly DatasetName[] = snapshotDatasets.map(({ name }) => name);

/** The datasets that the simulated exchange models: their content follows the state of the simulated account. */
export const modelled: readonly Dataset[] = snapshotDatasets.filter(({ sources }) =>
  Object.values(sources).every(({ endpoint }) => endpoint === null || isModelled(endpoint.path)),
);

export const modelledNames: readonly DatasetName[] = modelled.map(({ name }) => name);

/** Returns undefined where the API version has no such data. */
export const endpointIn = (name: DatasetName, api: ApiVersion): AnyDatasetSource | undefined =>
  snapshotDatasetNamed(name).sources[api];

/** Returns the scopes requested of an account on this API version; none where it has no such data. */
export const scopesOf = (name: DatasetName, api: ApiVersion): readonly Scope[] =>
  endpointIn(name, api)?.scopes(productTypes) ?? [];

/** Returns the request path of a dataset; undefined where nothing is requested. */
export const pathOf = (name: DatasetName, api: ApiVersion): string | undefined => endpointIn(name, api)?.endpoint?.path;

export const viewOf = (name: DatasetName): string => `${name.replaceAll("-", "_")}_history`;

const instants = new Map(
  datasets.map(({ name, columns }) => [
    name,
    Object.keys(columns)
      .filter((column) => columns[column]?.kind === "millis")
      .map(snakeCase),
  ]),
);

/** Returns a row of the exchange's record as the views show it, with times in ISO 8601. */
export function asViewed(name: DatasetName, row: TrueRow): TrueRow {
  const viewed = { ...row };
  for (const column of instants.get(name) ?? []) {
    const instant = row[column];
    if (typeof instant === "number") viewed[column] = new Date(instant).toISOString();
  }
  return viewed;
}

/** Returns the columns of a view that identify an item within its scope. */
export const keysOf = (name: DatasetName): readonly string[] => snapshotDatasetNamed(name).key.map(snakeCase);

export const keyOf = (name: DatasetName, row: TrueRow): string =>
  keysOf(name)
    .map((column) => row[column])
    .join(" ");
