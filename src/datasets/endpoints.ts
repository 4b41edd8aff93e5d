/** Lists every endpoint of the exchange that this program knows. */
import { commonEndpoints as common, type EndpointName } from "../bitget/endpoints.ts";
import type { ApiEndpoint } from "../core/domain.ts";
import { type AnyDataset, sourcesOf } from "./incremental.ts";
import { datasets } from "./index.ts";

const ofDataset = (dataset: AnyDataset): ApiEndpoint[] =>
  [
    ...sourcesOf(dataset).flatMap((source) => [
      ...(source.endpoint ? [source.endpoint] : []),
      ...("subAccounts" in source && source.subAccounts ? [source.subAccounts.endpoint] : []),
      ...("parts" in source && source.parts ? [source.parts.endpoint] : []),
    ]),
    ...((dataset.mode === "snapshot" && dataset.otherEndpoints) || []),
  ].sort(byName);

const byName = (one: ApiEndpoint, other: ApiEndpoint): number => (one.name < other.name ? -1 : 1);
const byVersion = (one: ApiEndpoint, other: ApiEndpoint): number =>
  one.version.localeCompare(other.version) || Number(other.signed) - Number(one.signed);

/** All endpoints by API version, signed ones first, in the order of the datasets, without duplicates. */
export const endpoints: readonly ApiEndpoint[] = [
  ...new Set([...datasets.flatMap(ofDataset), ...Object.values(common)]),
].sort(byVersion);

/** Returns the endpoint of that name. @throws Error if there is none */
export function endpointNamed(name: EndpointName): ApiEndpoint {
  const found = endpoints.find((one) => one.name === name);
  if (!found) throw new Error(`there is no endpoint ${name}`);
  return found;
}
