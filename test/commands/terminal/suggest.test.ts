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
  ["report pln", 'unknown report "pln"; did you mean pnl? reports: '],
  ["report equity --by mnth", 'unknown --by "mnth"; did you mean month? values: day, month'],
  ["report equity --currency eur", "did you mean EUR?"],
  ["report ledger --for koinli", 'unknown --for "koinli"; did you mean koinly? formats: '],
  ["runs --timezone Europe/Berln", "such as Europe/Berlin or UTC; did you mean Europe/Berlin?"],
  ["books --timezone Asia/Tokio", "did you mean Asia/Tokyo?"],
  ["runs --state fialed", 'unknown --state "fialed"; did you mean failed? values: '],
  ["reconcile --wallet fundin", 'unknown --wallet "fundin"; did you mean funding? wallets: '],
  ["open positons", 'unknown page "positons"; did you mean positions? pages: '],
  ["sql --schema positons", 'unknown view "positons"; did you mean positions_history or positions_latest? views: '],
  ["sql --schema runz", 'unknown view "runz"; did you mean runs? views: '],
  ["histroy positions", 'unknown command "histroy"; did you mean history?'],
  ["verify", 'unknown command "verify"; did you mean db verify?'],
  ["db verfy", 'unknown command "db verfy"; did you mean db verify?'],
  ["help db verfy", 'unknown command "db verfy"; did you mean db verify?'],
  ["help tme", 'unknown command "tme"; did you mean time?'],
  ["history positions --formt csv", "Did you mean --format?"],
])("%s is refused with a suggestion", async (args, text) => {
  const { code, stderr } = await runInProcess(args.split(" "), temporaryFolder());
  expect([code, stderr]).toEqual([64, expect.stringContaining(text)]);
});
