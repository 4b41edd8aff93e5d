import { categoryOf, parseProductType } from "../../bitget/product-types.ts";
import { type DatasetName, productTypes, publicAccount } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import { datasetNames, snapshotDatasets } from "../../datasets/index.ts";
import type { HistoryReader } from "../../store/history.ts";
import type { CommandInput } from "../command.ts";
import { didYouMean, knownNames } from "../terminal/suggest.ts";

/** Returns the text of an option; undefined if it is not given. */
export function textOption(options: CommandInput["options"], name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/** Other words for datasets, as exchanges and other programs use them. */
const otherWords: Readonly<Record<string, DatasetName>> = {
  accounts: "mix-accounts",
  assets: "spot-assets",
  balances: "spot-assets",
  futures: "mix-accounts",
  ledger: "bills",
  orders: "fills",
  trades: "fills",
  value: "equity",
};

/** Returns the dataset of that name. @throws UsageError listing the datasets */
export function parseDataset(name: unknown): DatasetName {
  const found = datasetNames.find((known) => known === name);
  if (found !== undefined) return found;
  const meant = (given: string, known: readonly string[]) => {
    const other = otherWords[given.toLowerCase()];
    return other ? `did you mean ${other}?` : didYouMean(given, known);
  };
  throw new UsageError(`unknown dataset "${name}"${knownNames("datasets", String(name), datasetNames, meant)}`);
}

/**
 * Returns the value of --account; undefined for all accounts.
 * @throws UsageError for an account without history: its rows would look like those of an empty account
 */
export function recordedAccount(history: HistoryReader, options: CommandInput["options"]): string | undefined {
  const given = textOption(options, "account");
  const known = [...new Set(history.series(null).map(({ account }) => account))];
  if (given !== undefined && known.length > 0 && !known.includes(given))
    throw new UsageError(`--account "${given}" has no history${knownNames("accounts", given, known)}`);
  return given;
}

/** Like `recordedAccount`, for what only an account has, unlike the public prices. @throws UsageError also for the public account */
export function ownAccount(history: HistoryReader, options: CommandInput["options"]): string | undefined {
  const given = textOption(options, "account");
  if (given !== publicAccount) return recordedAccount(history, options);
  throw new UsageError(
    `--account "${publicAccount}" has the public prices, which belong to no account; accounts: ${history.accounts().join(", ")}`,
  );
}

/** Returns the coins or symbols that were ever recorded with snapshots, sorted. */
export function recordedNames(history: HistoryReader, column: "coin" | "symbol"): string[] {
  const names = snapshotDatasets
    .filter(({ key }) => key.includes(column))
    .flatMap((dataset) => history.itemNames(dataset, column));
  return [...new Set(names)].sort();
}

/** Returns the value of --limit; undefined if it is not given. @throws UsageError */
export function limitOf(options: CommandInput["options"]): number | undefined {
  const text = textOption(options, "limit");
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`--limit "${text}" is not a positive whole number`);
  return Number.parseInt(text, 10);
}

/** Returns the only argument, a dataset. @throws UsageError */
export function parseOnlyDataset([name, ...others]: readonly string[]): DatasetName {
  if (others.length > 0) throw new UsageError(`only one dataset at a time: ${name}`);
  return parseDataset(name);
}

/** Returns the value of an option that must be one of some words; undefined if it is not given. @throws UsageError */
export function choiceOf<Word extends string>(
  options: CommandInput["options"],
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = textOption(options, name);
  const found = words.find((word) => word === text);
  if (text === undefined || found !== undefined) return found;
  return unknownValue(`--${name}`, "values", text, words);
}

/** Returns the value of --product-type, as the history spells it; undefined if it is not given. @throws UsageError */
export function productTypeOf(options: CommandInput["options"]): string | undefined {
  const text = textOption(options, "productType");
  if (text === undefined || text === "unified") return text;
  const known = [...productTypes, ...productTypes.map(categoryOf), "unified"];
  return parseProductType(text) ?? unknownValue("--product-type", "product types", text, known);
}

/** The wallets of a history; an isolated pair has one of its own. */
export const wallets = ["spot", "funding", "unified", "margin-crossed", "margin-isolated", ...productTypes] as const;

/** Returns the value of --wallet, as the history spells it; undefined if it is not given. @throws UsageError */
export function walletOf(options: CommandInput["options"]): string | undefined {
  const text = textOption(options, "wallet");
  if (text === undefined || wallets.some((one) => one === text) || text.startsWith("margin-isolated/")) return text;
  return parseProductType(text) ?? unknownValue("--wallet", "wallets", text, wallets);
}

function unknownValue(option: string, plural: string, text: string, known: readonly string[]): never {
  throw new UsageError(`unknown ${option} "${text}"${knownNames(plural, text, known)}`);
}
