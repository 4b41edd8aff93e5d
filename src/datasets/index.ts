/** Lists all datasets in the order of a cycle. A new dataset needs one file and one line here. */
import type { DatasetName } from "../core/domain.ts";
import type { Dataset } from "./dataset.ts";
import type { AnyDataset, IncrementalDataset } from "./incremental.ts";
import { bills } from "./ledger/bills.ts";
import { closedPositions } from "./ledger/closed-positions.ts";
import { deposits } from "./ledger/deposits.ts";
import { fills } from "./ledger/fills.ts";
import { taxRecords } from "./ledger/tax-records.ts";
import { transfers } from "./ledger/transfers.ts";
import { withdrawals } from "./ledger/withdrawals.ts";
import { equity } from "./snapshots/equity.ts";
import { fundingAssets } from "./snapshots/funding-assets.ts";
import { mixAccounts } from "./snapshots/mix-accounts.ts";
import { positions } from "./snapshots/positions.ts";
import { prices } from "./snapshots/prices.ts";
import { spotAssets } from "./snapshots/spot-assets.ts";

export const snapshotDatasets: readonly Dataset[] = [
  spotAssets,
  fundingAssets,
  mixAccounts,
  positions,
  // These depend on the datasets above.
  prices,
  equity,
];

/** The datasets of which each record is stored once, in the order of a cycle. */
export const recordDatasets: readonly IncrementalDataset[] = [
  bills,
  fills,
  closedPositions,
  deposits,
  withdrawals,
  transfers,
  taxRecords,
];

export const datasets: readonly AnyDataset[] = [...snapshotDatasets, ...recordDatasets];

/** Returns whether a dataset is collected unless the settings say otherwise. */
export const isOnByDefault = ({ schedule }: AnyDataset): boolean => schedule !== "";

export const datasetNames: readonly DatasetName[] = datasets.map(({ name }) => name);

/** Returns the dataset of that name. @throws RangeError if there is none */
export function datasetNamed(name: DatasetName): AnyDataset {
  const found = datasets.find((one) => one.name === name);
  if (!found) throw new RangeError(`there is no dataset ${name}; there are ${datasetNames.join(", ")}`);
  return found;
}

/** Returns the dataset of that name, whose runs store snapshots. @throws RangeError if there is none */
export function snapshotDatasetNamed(name: DatasetName): Dataset {
  const found = datasetNamed(name);
  if (found.mode !== "snapshot") throw new RangeError(`${name} has no snapshots`);
  return found;
}
