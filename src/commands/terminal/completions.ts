/** Finds the words that can stand at the cursor of a command line. */
import { runStates } from "../../core/domain.ts";
import { endpoints } from "../../datasets/endpoints.ts";
import { datasetNames } from "../../datasets/index.ts";
import { kinds } from "../../datasets/ledger/kinds.ts";
import { steps } from "../../queries/periods.ts";
import { reports } from "../../reports/index.ts";
import { type CommandSummary, findIn } from "../command.ts";
import { globalOptions } from "../global-options.ts";
import { formats } from "../shared/format.ts";
import { colourChoices } from "./colour.ts";
import { completionScripts } from "./completion-scripts.ts";

const namesOf = (all: readonly { name: string }[]): string[] => all.map(({ name }) => name);

/** The values of an argument, by its name in the help. */
const argumentValues: Readonly<Record<string, readonly string[]>> = {
  dataset: datasetNames,
  name: namesOf(reports),
  endpoint: namesOf(endpoints),
  shell: Object.keys(completionScripts),
};

/** The values of an option; those of a path are left to the shell. */
const optionValues: Readonly<Record<string, readonly string[]>> = {
  "--format": formats,
  "--by": steps,
  "--kind": kinds,
  "--color": colourChoices,
  "--dataset": datasetNames,
  "--state": runStates,
};

/**
 * Returns what the last of the words after the program's name may be completed to, without a space; none where the shell should complete
 * files. `accounts` returns the names of the accounts, and is called only if they are needed.
 */
export async function candidatesFor(
  commands: readonly CommandSummary[],
  words: readonly string[],
  accounts: () => readonly string[],
): Promise<string[]> {
  const prefix = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const all = await valuesAfter(commands, before, prefix, accounts);
  return [...new Set(all)].filter((word) => word.startsWith(prefix)).sort();
}

async function valuesAfter(
  commands: readonly CommandSummary[],
  before: readonly string[],
  prefix: string,
  accounts: () => readonly string[],
): Promise<readonly string[]> {
  const summary = findIn(commands, before);
  const options = (summary && (await summary.load()).options) ?? [];
  const last = before.at(-1) ?? "";
  if (last === "--account") return accounts();
  if (optionValues[last]) return optionValues[last];
  if (options.some(({ flags }) => flags.startsWith(`${last} <`))) return [];
  const named = [...globalOptions, ...options].map(({ flags }) => flags.split(" ")[0] ?? "");
  const flags = ["--help", ...named];
  if (prefix.startsWith("-")) return flags.filter((flag) => !before.includes(flag));
  if (summary) return argumentValues[/[a-z]+/.exec(summary.args ?? "")?.[0] ?? ""] ?? [];
  const given = before.filter((word) => !word.startsWith("-") && word !== "help");
  const names = commands.flatMap(({ name, alias = [] }) => [name, alias].flat().map((one) => one.split(" ")));
  return names.filter((name) => given.every((word, at) => name[at] === word)).map((name) => name[given.length] ?? "");
}
