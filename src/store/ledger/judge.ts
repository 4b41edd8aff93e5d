/** Judges one chain, by the meaning that its balances have. */
import type { Finding, Findings } from "../../reconciliation/chain.ts";
import { availableOnly, showsAvailable, withFrozen } from "../../reconciliation/frozen.ts";
import { type ChainInput, type Reconciliation, reconcile } from "../../reconciliation/reconcile.ts";
import type { Snapshots } from "../../reconciliation/snapshots.ts";
import type { StoredEntry } from "./entries.ts";

interface Meaning {
  wallet: string;
  coin: string;
  /** Reads what was frozen or locked; null where balances are known to contain it. */
  frozen(): Snapshots | null;
  /** True if it was found before that balances leave it out. */
  isFound: boolean;
  /** Returns the findings so far. */
  findings(): Findings;
}

/** A result with the findings so far, and those that its entries show in addition. */
export interface Judged extends Reconciliation<StoredEntry> {
  findings: readonly Finding[];
}

/**
 * Judges a chain. Where balances are shown to leave out what is frozen, that is what they mean: a finding with the coin in place of a
 * type.
 */
export function judgeChain(input: ChainInput<StoredEntry>, meaning: Meaning): Judged {
  const { wallet, coin, isFound } = meaning;
  const { entries, before } = input;
  const whole = isFound ? null : judgeWhole(input, meaning);
  // Most chains have the balances of their snapshots, so that nothing else has to be read.
  if (whole?.intervals.every(({ verdict }) => verdict === "proven" || verdict === "open")) return whole;
  const frozen = entries && entries.length > 0 ? meaning.frozen() : null;
  if (!entries || !frozen) return whole ?? judgeWhole(input, meaning);
  if (whole && !showsAvailable(entries, { ...input, frozen })) return whole;
  const findings = meaning.findings();
  findings.add({ category: wallet, type: coin }, availableOnly);
  const result = reconcile({ ...input, entries: withFrozen(entries, frozen, before) }, findings);
  return { ...result, findings: findings.all() };
}

function judgeWhole(input: ChainInput<StoredEntry>, meaning: Meaning): Judged {
  const findings = meaning.findings();
  return { ...reconcile(input, findings), findings: findings.all() };
}

/** Returns whether it was found that balances of a coin leave out what is frozen. */
export const leavesOutFrozen = (findings: readonly Finding[], wallet: string, coin: string): boolean =>
  findings.some(
    ({ category, type, convention }) => category === wallet && type === coin && convention === availableOnly,
  );
