/** Everything we collect. A new dataset is a file and a line here. */
import type { DatasetName } from "../core/domain.ts";
import { datasetNames } from "../core/domain.ts";
import type { Dataset } from "./dataset.ts";
import { equity } from "./snapshots/equity.ts";
import { fundingAssets } from "./snapshots/funding-assets.ts";
import { mixAccounts } from "./snapshots/mix-accounts.ts";
import { positions } from "./snapshots/positions.ts";
import { prices } from "./snapshots/prices.ts";
import { spotAssets } from "./snapshots/spot-assets.ts";

const byName: Record<DatasetName, Dataset> = {
  "spot-assets": spotAssets,
  "funding-assets": fundingAssets,
  "mix-accounts": mixAccounts,
  positions,
  prices,
  equity,
};

/** In the order in which a cycle asks for them. */
export const datasets: readonly Dataset[] = datasetNames.map((name) => byName[name]);

export const datasetNamed = (name: DatasetName): Dataset => byName[name];
