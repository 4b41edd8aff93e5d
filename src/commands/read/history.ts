import { parseProductType } from "../../bitget/product-types.ts";
import type { Cell, DatasetName } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import { durationText } from "../../core/text.ts";
import { datasetNamed, datasetNames } from "../../datasets/index.ts";
import { loadConfig } from "../../settings/config.ts";
import type { Filter, HistoryReader, ScopeAsOf } from "../../store/history.ts";
import { openHistory } from "../../store/read/open-history.ts";
import type { Command, CommandInput } from "../command.ts";
import { formatOption, maxTableRows, parseFormat, printRows } from "../shared/format.ts";
import { parseInstant } from "../shared/instant.ts";
import { textOption } from "../shared/option.ts";

export const history: Command = {
  examples: [
    "history positions --at 2026-11-01T12:00:00Z",
    "history spot-assets --from -7d --coin BTC --changes",
    "history equity --from 2026-11-01 --to 2026-12-01 --format csv",
  ],
  details: [
    `Datasets: ${datasetNames.join(", ")}.`,
    "Instants: 2026-11-01 (midnight UTC), 2026-11-01T12:30:00Z, now, -30m, -1h, -7d.",
  ],
  options: [
    { flags: "--account <name>", summary: "only this account" },
    { flags: "--from <instant>", summary: "from this instant on" },
    { flags: "--to <instant>", summary: "before this instant" },
    { flags: "--at <instant>", summary: "the state at this instant, from the last good snapshot" },
    { flags: "--changes", summary: "only rows that differ from the previous row of the same item" },
    { flags: "--coin <coin>", summary: "only this coin" },
    { flags: "--symbol <symbol>", summary: "only this symbol" },
    { flags: "--product-type <type>", summary: "only this product type, in either spelling: umcbl or USDT-FUTURES" },
    formatOption,
    { flags: "--limit <n>", summary: "the newest n rows (a table: 50)" },
  ],
  async run(input) {
    const { args, options, env } = input;
    const name = datasetNames.find((one) => one === args[0]);
    if (!name || args.length > 1) throw new UsageError(`name one dataset: ${datasetNames.join(", ")}`);
    parseFormat(options);
    const { databasePath } = loadConfig(env, { credentials: false });
    const history = openHistory(databasePath);
    try {
      const filter = filterOf(history, name, options);
      if (options.at === undefined) await printSpan(history, name, filter, input);
      else await printInstant(history, name, filter, input);
      return 0;
    } finally {
      history.close();
    }
  },
};

async function printSpan(
  history: HistoryReader,
  name: DatasetName,
  filter: Filter,
  input: CommandInput,
): Promise<void> {
  const { options, printError } = input;
  const format = parseFormat(options);
  const now = Date.now();
  const instant = (option: "from" | "to", otherwise: number) => {
    const text = textOption(options, option);
    return text === undefined ? otherwise : parseInstant(`--${option}`, text, now);
  };
  const span = { from: instant("from", 0), to: instant("to", Number.MAX_SAFE_INTEGER) };
  const given = limitOf(options);
  const most = given ?? (format === "table" ? maxTableRows : Number.POSITIVE_INFINITY);
  // One more than a table shows by itself tells whether there are more.
  const newest = given === undefined && format === "table" ? most + 1 : most;
  const dataset = datasetNamed(name);
  const columns = history.columns(dataset);
  const rows = history.rows(dataset, filter, span, { newest, changes: options.changes === true });
  if (format !== "table") return printRows({ columns, rows: batches(rows) }, format, input, most);
  const all = [...rows];
  await printRows({ columns, rows: [all.slice(-most)] }, format, input, most);
  if (all.length > most)
    printError(`The newest ${most} rows; there are more. --limit N shows N, --format csv prints all.`);
}

async function printInstant(
  history: HistoryReader,
  name: DatasetName,
  filter: Filter,
  input: CommandInput,
): Promise<void> {
  const { options, printError } = input;
  for (const other of ["from", "to", "changes"])
    if (options[other] !== undefined) throw new UsageError(`--at and --${other} exclude each other`);
  const instant = parseInstant("--at", textOption(options, "at") ?? "", Date.now());
  const { columns, scopes, rows } = history.asOf(datasetNamed(name), filter, instant);
  for (const scope of scopes) printError(sentence(name, instant, scope));
  if (scopes.length === 0) printError(`${name}: unknown; nothing was ever asked that fits`);
  const format = parseFormat(options);
  const most = limitOf(options) ?? (format === "table" ? maxTableRows : Number.POSITIVE_INFINITY);
  const shown = format === "table" ? rows : rows.slice(0, most);
  await printRows({ columns, rows: [shown] }, format, input, most);
}

/** What the rows of a scope rest on, or why there are none. */
function sentence(name: DatasetName, instant: number, scope: ScopeAsOf): string {
  const { account, productType, takenAt, ageMs, maxAgeMs, known } = scope;
  const at = new Date(instant).toISOString();
  const what = [account, name, ...(productType ? [productType] : [])].join(" ");
  if (takenAt === null || ageMs === null) return `${what}: unknown at ${at}; there is no good snapshot before`;
  const told = `as told at ${new Date(takenAt).toISOString()}, ${durationText(ageMs)} before`;
  if (known) return `${what}: ${told}`;
  return `${what}: unknown at ${at}; the last good snapshot is ${durationText(ageMs)} older, more than two periods (${durationText(maxAgeMs ?? 0)})`;
}

/** What is asked for, in the words of the history views. Names that never occurred are values like any other. */
function filterOf(history: HistoryReader, name: DatasetName, options: CommandInput["options"]): Filter {
  const productType = textOption(options, "productType");
  const given = {
    account: textOption(options, "account"),
    coin: textOption(options, "coin")?.toUpperCase(),
    symbol: textOption(options, "symbol")?.toUpperCase(),
    product_type: productType && (parseProductType(productType) ?? productType),
  };
  const columns = history.columns(datasetNamed(name));
  const filter: Record<string, string> = {};
  for (const [column, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!columns.includes(column)) throw new UsageError(`${name} cannot be chosen by --${column.replace("_", "-")}`);
    filter[column] = value;
  }
  return filter;
}

function limitOf(options: CommandInput["options"]): number | undefined {
  const text = textOption(options, "limit");
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`--limit "${text}" is not a whole number from 1 on`);
  return Number.parseInt(text, 10);
}

const batchRows = 1000;

function* batches(rows: Iterable<Cell[]>): Generator<Cell[][]> {
  let batch: Cell[][] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < batchRows) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}
