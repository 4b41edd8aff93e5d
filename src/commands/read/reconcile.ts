import type { Secret } from "../../core/domain.ts";
import { UsageError } from "../../core/errors.ts";
import { datasets } from "../../datasets/index.ts";
import { loadConfig } from "../../settings/config.ts";
import type { HistoryReader, ReconciliationFilter } from "../../store/history.ts";
import { reconcileFile } from "../../store/ledger/reconcile-file.ts";
import type { Reconciled, ReconcileOptions } from "../../store/ledger/reconciler.ts";
import { withHistory } from "../../store/read/open-history.ts";
import type { Command, CommandInput } from "../command.ts";
import { formatOption, parseFormat, printRows } from "../shared/format.ts";
import { Times, timezoneOption } from "../shared/instant.ts";
import { recordedAccount, textOption, walletOf } from "../shared/option.ts";

export const reconcileCommand: Command = {
  examples: ["reconcile", "reconcile --wallet umcbl --coin USDT --from -7d", "reconcile --format csv"],
  details: [
    "Compares the entries of the exchange's ledger (bills) with each other and with the snapshots of the same wallet, and prints",
    "stretches of time with a verdict: proven, rounded (but for digits that a snapshot does not have), open (too early to judge),",
    "break (differs by `residual`), gap (bills were not collected), unprovable (the exchange has no ledger for this wallet).",
    "The results of closed positions are compared with their bills likewise (`position_episodes` has the figures).",
    "Exit code 1 where something breaks.",
    "With DATABASE_URL=postgres://… the result is stored there, unless the role may only read, or PostgreSQL has the copy of a file.",
  ],
  options: [
    { flags: "--account <name>", summary: "only this account" },
    { flags: "--wallet <name>", summary: "only this wallet: spot, funding, unified, umcbl and others" },
    { flags: "--coin <coin>", summary: "only this coin" },
    { flags: "--from <time>", summary: "only stretches that end after this time" },
    { flags: "--to <time>", summary: "only stretches that begin before this time" },
    { flags: "--full", summary: "compute everything again instead of continuing" },
    { ...timezoneOption, summary: "time zone of dates in --from and --to, such as Europe/Berlin (default: UTC)" },
    formatOption,
  ],
  onPostgres: "mirror",
  isPaged: () => true,
  async run(input) {
    const { args, options, env, printError } = input;
    if (args.length > 0) throw new UsageError("reconcile takes options only, such as --coin USDT");
    const format = parseFormat(options);
    const { databasePath, postgres } = loadConfig(env, { credentials: false });
    const filter = filterOf(options);
    withHistory(databasePath, (history) => recordedAccount(history, options));
    const { account, wallet, coin } = filter;
    const selected = { now: Date.now(), account, wallet, coin, isFull: options.full === true };
    const done = postgres
      ? await reconcileCopy(postgres, databasePath, selected, printError)
      : await reconcileFile(databasePath, selected);
    const { columns, rows } = withHistory(databasePath, (history) => history.reconciliation(filter));
    await printRows({ columns, rows: [rows] }, format, input);
    const verdicts = rows.map((row) => String(row[columns.indexOf("verdict")]));
    printError(summaryOf(done.chains, verdicts));
    const ofPositions = withHistory(databasePath, (history) => positionVerdicts(history, filter));
    if (ofPositions.length > 0)
      printError(`closed positions against their bills (position_episodes): ${countsOf(ofPositions)}`);
    return [...verdicts, ...ofPositions].includes("break") ? 1 : 0;
  },
};

/** Reconciles a history in PostgreSQL, and prints where the result is if it is not there. */
async function reconcileCopy(
  url: Secret,
  path: string,
  options: ReconcileOptions,
  printError: CommandInput["printError"],
): Promise<Reconciled> {
  // What belongs to PostgreSQL is loaded only where it is used.
  const { reconcileHistory } = await import("../../store/postgres/ledger/reconcile-history.ts");
  const done = await reconcileHistory({ url, path, datasets }, options);
  if (!done.isStored)
    printError("PostgreSQL keeps the result that it has, and the mirror has this one until it is refreshed.");
  return done;
}

function filterOf(options: CommandInput["options"]): ReconciliationFilter {
  return {
    account: textOption(options, "account"),
    wallet: walletOf(options),
    coin: textOption(options, "coin"),
    ...new Times(options).span(),
  };
}

/** Returns one line such as "12 coins in wallets reconciled: 10 stretches proven, 1 break". */
const summaryOf = (chains: number, verdicts: readonly string[]): string =>
  `${chains} balances reconciled; stretches: ${countsOf(verdicts) || "none"}`;

/** Returns "10 proven, 1 break". */
function countsOf(verdicts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const verdict of verdicts) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(", ");
}

/** Returns what the bills of each closed position say about its result. */
function positionVerdicts(history: HistoryReader, filter: ReconciliationFilter): string[] {
  const { account, wallet, coin, from, to } = filter;
  return [...history.episodes(account ?? null, { from, to })].flatMap((row) => {
    const isOfWallet = wallet === undefined || wallet === "unified" || wallet === row.product_type;
    const isOfCoin = coin === undefined || coin.toUpperCase() === row.margin_coin;
    return isOfWallet && isOfCoin && row.verdict !== null ? [String(row.verdict)] : [];
  });
}
