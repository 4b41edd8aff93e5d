/** Renders the verdicts on the exchange's ledger. */
import { html } from "hono/html";
import { escapeControlChars } from "../../../core/text.ts";
import { withCodeNamed } from "../../../output/labels.ts";
import type { HistoryRow } from "../../../store/history.ts";
import { countVerdicts } from "../../data/ledger/reconciliation.ts";
import type { View } from "../../data/table.ts";
import { type Html, none, unknown } from "../parts/figure.ts";
import { linkTo, stickyParams } from "../parts/query-params.ts";
import type { CellRenderer } from "../parts/table.ts";

/** How a verdict is shown, and what it means. Only `proven` and `rounded` count as good. */
const verdictLabels: Readonly<Record<string, readonly [style: string, label: string, meaning: string]>> = {
  proven: ["fresh", "● Proven", "The entries explain every change of the balance to the last digit."],
  rounded: ["fresh", "● Rounded", "The entries explain every change, except for digits that a snapshot does not have."],
  open: ["open", "○ Open", "Too early to judge: entries may be late."],
  break: ["stale", "✕ Break", "The entries do not explain the change of the balance."],
  gap: ["stale", "▲ Gap", "The ledger was not collected here."],
  unprovable: ["unprovable", "– Unprovable", "The exchange has no ledger with balances for this wallet."],
};

/** Shows a verdict; null or an unknown one is marked as unknown. */
export function verdictHtml(verdict: unknown): Html {
  const [style, label, meaning] = verdictLabels[String(verdict)] ?? [];
  return label ? html`<span class="state ${style}" title="${meaning}">${label}</span>` : unknown("Not reconciled");
}

/** Renders the cells of a row with a verdict. */
export const verdictCells: Readonly<Record<string, CellRenderer>> = {
  verdict: ({ verdict }) => verdictHtml(verdict),
  cause: ({ cause }: HistoryRow) =>
    cause === null ? none("–") : html`${escapeControlChars(withCodeNamed(String(cause)))}`,
};

/** Returns "1 break, 3 proven". */
export const countsText = (stretches: readonly HistoryRow[]): string =>
  countVerdicts(stretches)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(", ");

/** Returns a link to the entries of the row's wallet and coin. */
export const ledgerLink = ({ account, wallet, coin }: HistoryRow, view: View, label: Html): Html =>
  html`<a href="${linkTo("/ledger", stickyParams({ ...view, account: String(account) }), { wallet, coin })}">${label}</a>`;
