/** Describes how much of the exchange's ledger is proven. */
import { shareText } from "../core/text.ts";
import type { WalletProof } from "../store/history.ts";

/** Says of a reconciliation that it was made by other rules than those of this program, and what replaces it. */
export const outdatedRules = "by the rules of another version, until the next run of bills or `reconcile`";

/** Returns "99.8 % proven, 1 break" with a word about outdated rules, over all coins of these wallets; null if none of them has a ledger. */
export function ledgerProofText(
  proofs: readonly Pick<WalletProof, "totalMs" | "provenMs" | "breaks" | "isCurrent">[],
): string | null {
  const total = proofs.reduce((all, { totalMs }) => all + totalMs, 0);
  if (total === 0) return null;
  const proven = proofs.reduce((all, { provenMs }) => all + provenMs, 0);
  const breaks = proofs.reduce((all, one) => all + one.breaks, 0);
  const rules = proofs.every(({ isCurrent }) => isCurrent) ? "" : ` (${outdatedRules})`;
  return `${shareText(proven / total)} proven, ${breaks === 0 ? "no breaks" : breaks === 1 ? "1 break" : `${breaks} breaks`}${rules}`;
}
