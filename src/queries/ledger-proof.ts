/** Describes how much of the exchange's ledger is proven. */
import { shareText } from "../core/text.ts";
import type { WalletProof } from "../store/history.ts";

/** Returns "99.8 % proven, 1 break", over all coins of these wallets; null if none of them has a ledger. */
export function ledgerProofText(
  proofs: readonly Pick<WalletProof, "totalMs" | "provenMs" | "breaks">[],
): string | null {
  const total = proofs.reduce((all, { totalMs }) => all + totalMs, 0);
  if (total === 0) return null;
  const proven = proofs.reduce((all, { provenMs }) => all + provenMs, 0);
  const breaks = proofs.reduce((all, one) => all + one.breaks, 0);
  return `${shareText(proven / total)} proven, ${breaks === 0 ? "no breaks" : breaks === 1 ? "1 break" : `${breaks} breaks`}`;
}
