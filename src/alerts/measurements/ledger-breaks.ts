/** Measures whether the exchange's ledger explains the balances, stretch by stretch. */
import type { Verdict } from "../../reconciliation/verdict.ts";
import type { OpenAlert } from "../../store/alerts/alert-store.ts";
import type { LedgerBreak, LedgerRef } from "../../store/history.ts";
import type { StoreLedger } from "../../store/store.ts";
import { amountText, nameText, timeText } from "../messages.ts";
import type { Measurement } from "../rules.ts";

/**
 * Measures every break of an account, and the stretches of its open alerts. A break that grows by another stretch is still the same
 * one: an alert is about the break that contains its beginning. Without a verdict on that beginning its state is unknown.
 */
export async function measureBreaks(
  account: string,
  open: readonly OpenAlert[],
  ledger: Pick<StoreLedger, "breaks" | "verdictAt">,
): Promise<Measurement[]> {
  const breaks = await ledger.breaks(account);
  const alerted = open.map(({ subject }) => refOf(account, subject));
  const isAlerted = (one: LedgerBreak) => alerted.some((ref) => contains(one, ref));
  const others = alerted.filter((ref) => !breaks.some((one) => contains(one, ref)));
  return [
    ...(await Promise.all(others.map(async (ref) => recoveryOf(ref, await ledger.verdictAt(ref))))),
    ...breaks.filter((one) => !isAlerted(one)).map(breakOf),
  ];
}

const contains = ({ wallet, coin, from, to }: LedgerBreak, ref: LedgerRef): boolean =>
  ref.wallet === wallet && ref.coin === coin && from <= ref.from && ref.from < to;

function breakOf(found: LedgerBreak): Measurement {
  const { account, wallet, coin, from, to, residual } = found;
  const command = `reconcile --account ${account} --wallet ${wallet} --coin ${nameText(coin)}`;
  const how = `does not explain the balance from ${timeText(from)} to ${timeText(to)}: ${amountText(residual, coin)} are left over; see \`${command}\``;
  return { ...namesOf(found), value: residual, threshold: null, verdict: "bad", how };
}

function recoveryOf(ref: LedgerRef, verdict: Verdict | null): Measurement {
  const isExplained = verdict === "proven" || verdict === "rounded";
  const how = `explains the balance from ${timeText(ref.from)} on`;
  return { ...namesOf(ref), value: null, threshold: null, verdict: isExplained ? "good" : "unknown", how };
}

const namesOf = ({ account, wallet, coin, from }: LedgerRef) =>
  ({
    kind: "ledger-break",
    account,
    subject: JSON.stringify([wallet, coin, from]),
    what: `ledger of ${nameText(coin)} in ${wallet}`,
    scopeId: null,
  }) as const;

function refOf(account: string, subject: string): LedgerRef {
  const [wallet, coin, from] = JSON.parse(subject) as [string, string, number];
  return { account, wallet, coin, from };
}
