/** Follows the balance of one coin in one wallet from entry to entry, and finds by which convention each type changes it. */
import { add, normalize, subtract } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { type Convention, conventionFor, conventions, type Entry, isEvidence } from "./entry.ts";
import type { availableOnly } from "./frozen.ts";
import { inOrder } from "./order.ts";

/** One entry in its place. */
export interface Step<E extends Entry = Entry> {
  entry: E;
  /** What it changed the balance by, as the balances show; null where its balance does not follow from the one before, or shows nothing. */
  change: DecimalString | null;
  /** What it changes the balance by according to the convention of its type. */
  expected: DecimalString;
  /** The balance before and after it, by its own balance, or where that is unknown by the entries before; null: unknown. */
  before: DecimalString | null;
  after: DecimalString | null;
}

/** By how many entries a convention is shown for a type. */
export interface Finding {
  category: string;
  type: string;
  convention: Convention | typeof availableOnly;
  entries: number;
}

/** Finds the convention of each type. */
export class Findings {
  readonly #counts = new Map<string, Finding>();

  /** Starts with what earlier entries showed. */
  constructor(known: Iterable<Finding> = []) {
    for (const finding of known) this.#counts.set(keyOf(finding), { ...finding });
  }

  /** Counts an entry that shows a convention. */
  add({ category, type }: Pick<Entry, "category" | "type">, convention: Finding["convention"]): void {
    const finding = { category, type, convention, entries: 0 };
    const known = this.#counts.get(keyOf(finding)) ?? finding;
    known.entries += 1;
    this.#counts.set(keyOf(finding), known);
  }

  /** Returns the convention that most entries of the type of an entry show; null if none shows one. */
  of({ category, type }: Pick<Entry, "category" | "type">): Convention | null {
    let most = 0;
    let shown: Convention | null = null;
    for (const convention of Object.keys(conventions) as Convention[]) {
      const { entries = 0 } = this.#counts.get(keyOf({ category, type, convention })) ?? {};
      if (entries > most) [most, shown] = [entries, convention];
    }
    return shown;
  }

  all(): Finding[] {
    return [...this.#counts.values()];
  }
}

const keyOf = ({ category, type, convention }: Omit<Finding, "entries">): string =>
  JSON.stringify([category, type, convention]);

/**
 * Returns the entries in their order with what each changed. `before` is the balance before the first one, null if it is unknown. Adds
 * to `findings` what the entries show.
 */
export function followChain<E extends Entry>(
  entries: readonly E[],
  before: DecimalString | null,
  findings: Findings,
): Step<E>[] {
  const ordered = inOrder(entries, before);
  const changes = changesOf(ordered, before, findings);
  const steps: Step<E>[] = [];
  let balance = before;
  for (const [at, entry] of ordered.entries()) {
    const shown = changes[at] ?? null;
    const expected = shown ?? expectedChange(entry, findings);
    const after = entry.balance === null ? balance && add(balance, expected) : normalize(entry.balance);
    const isUnchecked = balance === null || entry.balance === null;
    // Without a balance to check it, only a convention that other entries show is more than a guess.
    const isKnown = isUnchecked && (!isEvidence(entry) || findings.of(entry) !== null);
    const before = shown === null ? after && subtract(after, expected) : balance;
    steps.push({ entry, change: shown ?? (isKnown ? expected : null), expected, before, after });
    balance = after;
  }
  return steps;
}

/** Returns the change of each entry whose balance follows from that of the entry directly before it, null for the others. */
function changesOf(ordered: readonly Entry[], before: DecimalString | null, findings: Findings) {
  let balance = before;
  return ordered.map((entry) => {
    const change = balance === null || entry.balance === null ? null : subtract(entry.balance, balance);
    const convention = change === null ? null : conventionFor(entry, change);
    if (convention !== null && isEvidence(entry)) findings.add(entry, convention);
    balance = entry.balance;
    return convention === null ? null : change;
  });
}

/** Returns the change by the convention of the type; where none is known, by the first one that is possible. */
function expectedChange(entry: Entry, findings: Findings): DecimalString {
  const known = findings.of(entry);
  return (known && conventions[known](entry)) ?? conventions["amount + fee"](entry) ?? conventions.amount(entry);
}
