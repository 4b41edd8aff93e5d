/** All datasets in the order of a cycle. A new dataset needs one file and one line here. */
import type { DatasetName } from "../core/domain.ts";
import type { Dataset } from "./dataset.ts";
import { equity } from "./snapshots/equity.ts";
import { fundingAssets } from "./snapshots/funding-assets.ts";
import { mixAccounts } from "./snapshots/mix-accounts.ts";
import { positions } from "./snapshots/positions.ts";
import { prices } from "./snapshots/prices.ts";
import { spotAssets } from "./snapshots/spot-assets.ts";

export const datasets: readonly Dataset[] = [
  spotAssets,
  fundingAssets,
  mixAccounts,
  positions,
  // These depend on the datasets above.
  prices,
  equity,
];

export const datasetNames: readonly DatasetName[] = datasets.map(({ name }) => name);

/** Returns the dataset of that name. @throws RangeError if there is none */
export function datasetNamed(name: DatasetName): Dataset {
  const found = datasets.find((one) => one.name === name);
  if (!found) throw new RangeError(`there is no dataset ${name}; there are ${datasetNames.join(", ")}`);
  return found;
}
