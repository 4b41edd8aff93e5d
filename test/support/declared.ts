/** What tests take from the declarations of the datasets rather than list themselves. */
import { snakeCase } from "../../src/core/columns.ts";
import type { ApiVersion, DatasetName, ProductType, Scope } from "../../src/core/domain.ts";
import type { AnyEndpoint, Dataset } from "../../src/datasets/dataset.ts";
import { datasetNamed, datasets } from "../../src/datasets/index.ts";
import { isModelled, type TrueRow } from "../../src/simulator/simulator.ts";

/** The default of BITGET_PRODUCT_TYPES. */
export const productTypes = ["umcbl", "dmcbl", "cmcbl", "sumcbl"] as const satisfies ProductType[];

/** Those that the simulated exchange has a model of: what they tell changes with the life of an account. */
export const modelled: readonly Dataset[] = datasets.filter(({ endpoints }) =>
  Object.values(endpoints).every(({ address }) => address === null || isModelled(address.path)),
);

export const modelledNames: readonly DatasetName[] = modelled.map(({ name }) => name);

/** Undefined where the generation has no such data. */
export const endpointIn = (name: DatasetName, api: ApiVersion): AnyEndpoint | undefined =>
  datasetNamed(name).endpoints[api];

/** What is asked of an account that speaks this generation. */
export const scopesOf = (name: DatasetName, api: ApiVersion): readonly Scope[] =>
  endpointIn(name, api)?.scopes(productTypes) ?? [];

/** The path of a dataset; undefined where nothing is asked. */
export const pathOf = (name: DatasetName, api: ApiVersion): string | undefined => endpointIn(name, api)?.address?.path;

export const viewOf = (name: DatasetName): string => `${name.replaceAll("-", "_")}_history`;

const instants = new Map(
  datasets.map(({ name, columns }) => [
    name,
    Object.keys(columns)
      .filter((column) => columns[column]?.kind === "millis")
      .map(snakeCase),
  ]),
);

/** A row of the record as the views write it, with its instants in ISO 8601. */
export function asViewed(name: DatasetName, row: TrueRow): TrueRow {
  const viewed = { ...row };
  for (const column of instants.get(name) ?? []) {
    const instant = row[column];
    if (typeof instant === "number") viewed[column] = new Date(instant).toISOString();
  }
  return viewed;
}

/** The columns of a view that tell one item of a scope from another. */
export const keysOf = (name: DatasetName): readonly string[] => datasetNamed(name).key.map(snakeCase);

export const keyOf = (name: DatasetName, row: TrueRow): string =>
  keysOf(name)
    .map((column) => row[column])
    .join(" ");
