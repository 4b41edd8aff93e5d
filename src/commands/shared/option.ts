import type { DatasetName } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import { datasetNames } from "../../datasets/index.ts";
import type { CommandInput } from "../command.ts";

/** Returns the text of an option; undefined if it is not given. */
export function textOption(options: CommandInput["options"], name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/** Returns the dataset of that name. @throws UsageError listing the datasets */
export function parseDataset(name: unknown): DatasetName {
  const found = datasetNames.find((known) => known === name);
  if (found === undefined) throw new UsageError(`unknown dataset "${name}"; datasets: ${datasetNames.join(", ")}`);
  return found;
}

/** Returns the only argument, a dataset. @throws UsageError */
export function parseOnlyDataset([name, ...others]: readonly string[]): DatasetName {
  if (others.length > 0) throw new UsageError(`only one dataset at a time: ${name}`);
  return parseDataset(name);
}
