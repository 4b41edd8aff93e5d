/** Finds the words that can stand at the cursor of a command line. */
import { categoryOf } from "../../bitget/product-types.ts";
import { type DatasetName, productTypes, runStates } from "../../core/domain.ts";
import { endpoints } from "../../datasets/endpoints.ts";
import { datasetNames } from "../../datasets/index.ts";
import { kinds } from "../../datasets/ledger/kinds.ts";
import { steps } from "../../queries/periods.ts";
import { formats as programs } from "../../reports/formats/index.ts";
import { reports } from "../../reports/index.ts";
import { pageNames } from "../../web/pages/names.ts";
import { type CommandSummary, findIn } from "../command.ts";
import { globalOptions } from "../global-options.ts";
import { formats } from "../shared/format.ts";
import { wallets } from "../shared/option.ts";
import { colourChoices } from "./colour.ts";
import { completionScripts } from "./completion-scripts.ts";
import { topics } from "./topics.ts";

const namesOf = (all: readonly { name: string }[]): string[] => all.map(({ name }) => name);

/** The values of an argument, by its name in the help. */
const argumentValues: Readonly<Record<string, readonly string[]>> = {
  dataset: datasetNames,
  name: namesOf(reports),
  endpoint: namesOf(endpoints),
  shell: Object.keys(completionScripts),
  page: pageNames,
};

/** The values of an option; those of a path are left to the shell. */
const optionValues: Readonly<Record<string, readonly string[]>> = {
  "--format": formats,
  "--by": steps,
  "--kind": kinds,
  "--color": colourChoices,
  "--dataset": datasetNames,
  "--for": namesOf(programs),
  "--product-type": [...productTypes, ...productTypes.map(categoryOf)],
  "--state": runStates,
  "--timezone": Intl.supportedValuesOf("timeZone"),
  "--wallet": wallets,
};

/** The names that only the settings and the history know; each is read when it is needed. */
export interface RecordedNames {
  accounts(): readonly string[];
  coins(): readonly string[];
  symbols(): readonly string[];
  /** The columns of the history of a dataset. */
  columns(dataset: DatasetName): readonly string[];
}

/** Returns what the last of the words after the program's name may be completed to, without a space; none where the shell should complete files. */
export async function candidatesFor(
  commands: readonly CommandSummary[],
  words: readonly string[],
  recorded: RecordedNames,
): Promise<string[]> {
  const prefix = words.at(-1) ?? "";
  const all = await valuesAfter(commands, words.slice(0, -1), prefix, recorded);
  return [...new Set(all)].filter((word) => word.startsWith(prefix)).sort();
}

async function valuesAfter(
  commands: readonly CommandSummary[],
  before: readonly string[],
  prefix: string,
  recorded: RecordedNames,
): Promise<readonly string[]> {
  const summary = findIn(commands, before);
  const options = (summary && (await summary.load()).options) ?? [];
  const last = before.at(-1) ?? "";
  const fixed = Object.hasOwn(optionValues, last) ? optionValues[last] : undefined;
  if (fixed) return fixed;
  if (options.some(({ flags }) => flags.startsWith(`${last} <`))) return recordedValues(last, before, prefix, recorded);
  const named = [...globalOptions, ...options].map(({ flags }) => flags.split(" ")[0] ?? "");
  const flags = ["--help", ...named];
  if (prefix.startsWith("-")) return flags.filter((flag) => !before.includes(flag));
  if (summary?.name === "accounts retire") return recorded.accounts();
  if (summary) return argumentValues[/[a-z]+/.exec(summary.args ?? "")?.[0] ?? ""] ?? [];
  const given = before.filter((word) => !word.startsWith("-") && word !== "help");
  const names = commands.flatMap(({ name, alias = [] }) => [name, alias].flat().map((one) => one.split(" ")));
  const ofHelp = before[0] === "help" ? Object.keys(topics).map((topic) => [topic]) : [];
  return [...names, ...ofHelp]
    .filter((name) => given.every((word, at) => name[at] === word))
    .map((name) => name[given.length] ?? "");
}

/** Returns the values of an option that are names of the history; those of a path are left to the shell. */
function recordedValues(
  option: string,
  before: readonly string[],
  prefix: string,
  recorded: RecordedNames,
): readonly string[] {
  if (option === "--account") return recorded.accounts();
  if (option === "--coin") return recorded.coins();
  if (option === "--symbol") return recorded.symbols();
  const dataset = datasetNames.find((name) => before.includes(name));
  if (option !== "--columns" || dataset === undefined) return [];
  const chosen = prefix.split(",").slice(0, -1);
  const others = recorded.columns(dataset).filter((column) => !chosen.includes(column));
  return others.map((column) => [...chosen, column].join(","));
}
