import type { Cell, DatasetName } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import { durationText } from "../../core/text.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import { datasetNamed, datasetNames, snapshotDatasetNamed } from "../../datasets/index.ts";
import { kinds } from "../../datasets/ledger/kinds.ts";
import { loadConfig } from "../../settings/config.ts";
import type { Filter, HistoryReader, ScopeAsOf } from "../../store/history.ts";
import { openHistory } from "../../store/read/open-history.ts";
import type { Command, CommandInput } from "../command.ts";
import { formatOption, isForScreen, maxTableRows, parseFormat } from "../shared/format.ts";
import { Times, timezoneOption } from "../shared/instant.ts";
import {
  choiceOf,
  limitOf,
  parseOnlyDataset,
  productTypeOf,
  recordedAccount,
  recordedNames,
  textOption,
  walletOf,
} from "../shared/option.ts";
import { printerOf } from "../terminal/history-printer.ts";
import { didYouMean } from "../terminal/suggest.ts";

export const history: Command = {
  examples: [
    "history positions --at 2026-11-01T12:00:00Z",
    "history spot-assets --from -7d --coin BTC --changes",
    "history equity --from 2026-11-01 --to 2026-12-01 --format csv",
    "history bills --coin USDT --from -7d",
  ],
  details: [
    `Datasets: ${datasetNames.join(", ")}.`,
    "Times: 2026-11-01, 2026-11, today, yesterday (midnight UTC), 2026-11-01T12:30:00Z, now, -30m, -1h, -7d, -1w.",
    "Records, such as bills, are selected by their own time; they have no state at a time and do not change.",
    "A table has the columns that fit the terminal, and amounts cut to fit, never rounded up. --wide, --columns and every other format",
    "show all digits.",
  ],
  options: [
    { flags: "--account <name>", summary: "only this account" },
    { flags: "--from <time>", summary: "from this time on" },
    { flags: "--to <time>", summary: "before this time" },
    { flags: "--at <time>", summary: "the state at this time, from the last good snapshot" },
    { flags: "--changes", summary: "only rows that differ from the previous row of the same item" },
    { flags: "--coin <coin>", summary: "only this coin" },
    { flags: "--symbol <symbol>", summary: "only this symbol" },
    { flags: "--product-type <type>", summary: "only this product type, in either spelling: umcbl or USDT-FUTURES" },
    { flags: "--wallet <name>", summary: "only records of this wallet: spot, funding, unified, umcbl and others" },
    { flags: "--type <type>", summary: "only bills of this type, as the exchange spells it" },
    { flags: "--kind <kind>", summary: "only bills of this kind: trade, fee, funding, transfer and others" },
    timezoneOption,
    formatOption,
    { flags: "--limit <n>", summary: "only the newest n rows (default: 50 in a table or records, else all)" },
    { flags: "--columns <names>", summary: "these columns of the view, separated by commas, with all digits" },
    { flags: "--wide", summary: "a table of all columns with all digits" },
  ],
  onPostgres: "mirror",
  isPaged: () => true,
  async run(input) {
    const { args, options, env } = input;
    const name = parseOnlyDataset(args);
    parseFormat(options);
    const { databasePath } = loadConfig(env, { credentials: false });
    if (datasetNamed(name).mode === "incremental" && (options.at !== undefined || options.changes === true))
      throw new UsageError(`${name} are records, which have no state at a time; use --from and --to`);
    const history = openHistory(databasePath);
    try {
      const filter = filterOf(history, name, options);
      if (options.at === undefined) await printSpan(history, name, filter, input);
      else await printAsOf(history, name, filter, input);
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
  const span = new Times(options).span();
  const limit = limitOf(options);
  const maxRows = limit ?? (isForScreen(format) ? maxTableRows : Number.POSITIVE_INFINITY);
  // A table reads one row more than it shows by default, to know whether there are more.
  const newest = limit === undefined && isForScreen(format) ? maxRows + 1 : maxRows;
  const dataset = datasetNamed(name);
  const columns = history.columns(dataset);
  const rows = history.rows(dataset, filter, span, { newest, changes: options.changes === true });
  const print = printerOf(history, name, columns, input);
  if (!isForScreen(format)) return print(batches(rows), maxRows);
  const all = [...rows];
  await print([all.slice(-maxRows)], maxRows);
  if (all.length === 0) printError(`No row matches these options; ${hintOf(history, dataset, filter)}`);
  if (all.length > maxRows)
    printError(`The newest ${maxRows} rows; there are more. --limit N shows N, --format csv prints all.`);
}

async function printAsOf(
  history: HistoryReader,
  name: DatasetName,
  filter: Filter,
  input: CommandInput,
): Promise<void> {
  const { options, printError } = input;
  for (const other of ["from", "to", "changes"])
    if (options[other] !== undefined) throw new UsageError(`--at cannot be combined with --${other}`);
  const instant = new Times(options).instant("at", 0);
  const { columns, scopes, rows } = history.asOf(snapshotDatasetNamed(name), filter, instant);
  for (const scope of scopes) {
    printError(describeScope(name, instant, scope));
    const { account, productType, known } = scope;
    const rebuilt = known ? null : history.rebuiltBalances({ account, dataset: name, productType, at: instant });
    if (rebuilt) printError(`The exchange's ledger proves the balances of then; to see them: sql "${rebuilt}"`);
  }
  if (scopes.length === 0) printError(`${name}: unknown; no snapshot matches these options`);
  const format = parseFormat(options);
  const maxRows = limitOf(options) ?? (isForScreen(format) ? maxTableRows : Number.POSITIVE_INFINITY);
  const shown = isForScreen(format) ? rows : rows.slice(0, maxRows);
  await printerOf(history, name, columns, input)([shown], maxRows);
}

/** Returns a line that names the snapshot from which the rows of a scope are, or why its state is unknown. */
function describeScope(name: DatasetName, instant: number, scope: ScopeAsOf): string {
  const { account, productType, takenAt, ageMs, maxAgeMs, known } = scope;
  const at = new Date(instant).toISOString();
  const what = [account, name, ...(productType ? [productType] : [])].join(" ");
  if (takenAt === null || ageMs === null) return `${what}: unknown at ${at}; there is no good snapshot before`;
  if (known) return `${what}: snapshot of ${new Date(takenAt).toISOString()}, ${durationText(ageMs)} before ${at}`;
  return `${what}: unknown at ${at}; the last good snapshot is ${durationText(ageMs)} older, more than two periods (${durationText(maxAgeMs ?? 0)})`;
}

/** Returns the filter by the columns of the history view. Only the account is checked: another value that never occurred matches no row. */
function filterOf(history: HistoryReader, name: DatasetName, options: CommandInput["options"]): Filter {
  const values = {
    account: recordedAccount(history, options),
    coin: textOption(options, "coin")?.toUpperCase(),
    symbol: textOption(options, "symbol")?.toUpperCase(),
    wallet: walletOf(options),
    type: textOption(options, "type"),
    kind: choiceOf(options, "kind", kinds),
    product_type: productTypeOf(options),
  };
  const columns = history.columns(datasetNamed(name));
  const flag = (column: string) => `--${column.replace("_", "-")}`;
  const filter: Record<string, string> = {};
  for (const [column, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (!columns.includes(column))
      throw new UsageError(
        `${name} has no ${flag(column)}; use ${Object.keys(values)
          .filter((one) => columns.includes(one))
          .map(flag)
          .join(", ")}`,
      );
    filter[column] = value;
  }
  return filter;
}

/** Returns what to try where no row matches: a coin where a symbol is given and the other way round, or a name that was recorded. */
function hintOf(history: HistoryReader, { mode }: AnyDataset, { coin, symbol }: Filter): string {
  const [, base] = /^(\w{2,})(?:USDT|USDC|USD|PERP)$/.exec(coin ?? "") ?? [];
  if (base) return `${coin} is a symbol: did you mean --coin ${base}?`;
  if (symbol && !/(USDT|USDC|USD|PERP)$/.test(symbol))
    return `${symbol} is a coin: did you mean --symbol ${symbol}USDT?`;
  const names = recordedNames(history, symbol ? "symbol" : "coin");
  const given = symbol ?? coin;
  // The names of records are not listed: there may be others than in snapshots.
  if (mode === "snapshot" && given && !names.includes(given)) {
    const suggested = didYouMean(given, names);
    return `${given} was never recorded${suggested && `; ${suggested}`}`;
  }
  return "`status` lists the accounts and datasets.";
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
