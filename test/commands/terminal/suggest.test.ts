import { expect, it } from "vitest";
import { closestNames } from "../../../src/commands/terminal/suggest.ts";
import { datasetNames } from "../../../src/datasets/index.ts";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess } from "../../support/in-process.ts";

it.each([
  ["postions", ["positions"]],
  ["position", ["positions"]],
  ["Spot_Assets", ["spot-assets"]],
  ["closed", ["closed-positions"]],
  ["dpeosits", ["deposits"]],
  ["weather", []],
  ["x", []],
])("of the datasets, %s means %j", (given, names) => {
  expect(closestNames(given, datasetNames)).toEqual(names);
});

it.each([
  ["history balances", 'unknown dataset "balances"; did you mean spot-assets? datasets: '],
  ["collect postions", 'unknown dataset "postions"; did you mean positions? datasets: '],
  ["history positions --format jsn", 'unknown --format "jsn"; did you mean json? formats: '],
  ["report balance", 'unknown report "balance"; did you mean balances? reports: '],
  ["get v2/postions", "did you mean v2/positions?"],
  ["histroy positions", "Did you mean history?"],
  ["db verfy", "Did you mean verify?"],
  ["history positions --formt csv", "Did you mean --format?"],
])("%s is refused with a suggestion", async (args, text) => {
  const { code, stderr } = await runInProcess(args.split(" "), temporaryFolder());
  expect([code, stderr]).toEqual([64, expect.stringContaining(text)]);
});
