/** Defines the table of the reconciliation: what the exchange's ledger proves. */
import type { Verdict } from "../../../reconciliation/verdict.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { amount, change, count, type DataTable, instant, text, type View } from "../table.ts";

/** The verdicts, from the one to look at first. */
export const verdicts: readonly string[] = [
  "break",
  "gap",
  "open",
  "unprovable",
  "rounded",
  "proven",
] satisfies Verdict[];

export const verdictColumns = [text("verdict", "Verdict"), text("cause", "Reason")];

export const reconciliation: DataTable = {
  name: "reconciliation",
  summary:
    "stretches of time of each coin in each wallet with one verdict on the exchange's ledger, breaks first, then the newest; `wallet`, `coin` and `verdict` select",
  columns: [
    text("account", "Account"),
    text("wallet", "Wallet"),
    text("coin", "Coin"),
    ...verdictColumns,
    change("residual", "Unexplained", "coin"),
    instant("from_at", "From"),
    instant("to_at", "To"),
    amount("opening", "Opening", "coin"),
    change("change", "Change", "coin"),
    count("entries", "Entries"),
    amount("closing", "Closing", "coin"),
  ],
  *rows(view) {
    const { verdict } = view.params;
    yield* stretchesOf(view)
      .filter((row) => verdict === undefined || row.verdict === verdict)
      .sort((one, other) => rank(one) - rank(other) || millis(other.to_at) - millis(one.to_at));
  },
};

const rank = ({ verdict }: HistoryRow): number => verdicts.indexOf(String(verdict));

/** Returns the stretches that began before the shown instant, by account, wallet, coin and time. Their verdicts are those of now. */
export function stretchesOf({ history, account, at, params: { wallet, coin } }: View): HistoryRow[] {
  const { columns, rows } = history.reconciliation({
    account: account ?? undefined,
    wallet,
    coin,
    from: 0,
    to: at + 1,
  });
  return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null])));
}

/** Returns how many stretches have each verdict, the verdict to look at first first; empty if nothing was reconciled. */
export const countVerdicts = (stretches: readonly HistoryRow[]): [verdict: string, stretches: number][] =>
  verdicts
    .map((verdict): [string, number] => [verdict, stretches.filter((one) => one.verdict === verdict).length])
    .filter(([, stretches]) => stretches > 0);

/** Returns a time of a row in epoch ms. */
export const millis = (instant: unknown): number => Date.parse(String(instant));
