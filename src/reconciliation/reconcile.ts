/**
 * Reconciles the exchange's ledger of one coin in one wallet with its snapshots: each balance has to follow from the entry before, each
 * snapshot has to show the balance of its instant, and the entries between two snapshots have to explain the difference. Pure.
 */
import { absolute, add, compare, isZero, subtract, sum } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { type Findings, followChain, type Step } from "./chain.ts";
import { balancesBefore, byTime, type Entry } from "./entry.ts";
import { disorderMs } from "./order.ts";
import { type Balance, firstAfter, type Snapshots, snapshotBefore, snapshotsAround } from "./snapshots.ts";
import { type Hole, type Interval, merged, reasons, verdictIn } from "./verdict.ts";

/** Everything known about one coin in one wallet. */
export interface ChainInput<E extends Entry = Entry> {
  /** In any order. Null: the exchange has no ledger with balances for this wallet. */
  entries: readonly E[] | null;
  snapshots: Snapshots;
  /** The balance before the first entry, at the first snapshot; null if it is unknown. */
  before: DecimalString | null;
  /** By how much a snapshot may differ because the exchange cuts digits off. */
  tolerance: DecimalString;
  /** Where the ledger was not collected, and why. */
  holes: readonly Hole[];
  /** What is not older than this cannot be judged yet: entries may be late, or were not read. Epoch ms. */
  openAfter: number;
  /** Nothing after it counts as settled. Epoch ms. */
  settleUntil: number;
  /** Nothing after it is proven, because the ledger was not read so far. Epoch ms. */
  readUntil: number;
  /** Returns true where the balance may be ahead of the ledger or behind it: around a funding. */
  isUnsettled(at: number): boolean;
}

export interface Reconciliation<E extends Entry = Entry> {
  steps: Step<E>[];
  /** Neighbours have different verdicts or causes. */
  intervals: Interval[];
  /**
   * What a later call need not judge again: the last snapshot that has a settled verdict before it and no entry near it, with the
   * balance there and the intervals up to it. Null if there is none.
   */
  settled: { at: number; balance: DecimalString; intervals: Interval[] } | null;
}

/** A snapshot in its place in the ledger, or the beginning or end of the ledger. */
interface Boundary {
  at: number;
  balance: DecimalString;
  /** The number of steps before it. */
  steps: number;
  /** Whether the ledger has this balance: to the last digit, but for digits that were cut off, or not. */
  match: "exact" | "rounded" | "none";
  /** False if an entry is so near that it may belong on its other side. */
  isAlone: boolean;
  /** True if a funding is so near that a difference says nothing until the next snapshot shows one as well. */
  isUnsettled: boolean;
}

/** Judges the ledger between its snapshots. Adds to `findings` by which conventions its types change the balance. */
export function reconcile<E extends Entry>(known: ChainInput<E>, findings: Findings): Reconciliation<E> {
  const { entries, snapshots } = known;
  if (entries === null) return { steps: [], intervals: unprovable(snapshots), settled: null };
  const input = { ...known, before: known.before ?? balanceBefore(entries, known) };
  const steps = followChain(entries, input.before, findings);
  const ledger = new Ledger(steps, input);
  const { holes, settleUntil, readUntil } = input;
  const instants = [...ledger.times, ...holes.flatMap(({ from, to }) => [from, to]), settleUntil, readUntil];
  const boundaries: Boundary[] = [];
  const start = ledger.start();
  let doubtful: Boundary | null = null;
  for (const snapshot of snapshotsAround(snapshots, instants, disorderMs)) {
    const boundary = ledger.place(snapshot, boundaries.at(-1)?.steps ?? 0);
    if (boundaries.length === 0 && start && boundary.steps > 0) boundaries.push(start);
    const isDifferent = boundary.match === "none";
    // The entry of a funding is booked by the next snapshot.
    if (isDifferent && doubtful) boundaries.push({ ...doubtful, isUnsettled: false });
    doubtful = isDifferent && boundary.isAlone && boundary.isUnsettled ? boundary : null;
    if (!isDifferent || (boundary.isAlone && !boundary.isUnsettled)) boundaries.push(boundary);
  }
  if (boundaries.length === 0 && start) boundaries.push(start);
  else if (doubtful?.steps === steps.length) boundaries.push(doubtful);
  return { steps, ...judgeAll(boundaries, ledger, Math.min(input.openAfter, input.settleUntil)) };
}

/** Returns the balance before the first entry: the possible one that the snapshot before it shows; null if that is not exactly one. */
function balanceBefore(entries: readonly Entry[], { snapshots, tolerance }: ChainInput): DecimalString | null {
  const first = entries.reduce<Entry | null>((one, other) => (one && byTime(one, other) < 0 ? one : other), null);
  const snapshot = first && snapshotBefore(snapshots, first.at - disorderMs);
  if (!snapshot || first.balance === null) return null;
  const fitting = balancesBefore(first, first.balance).filter(
    (balance) => compare(absolute(subtract(balance, snapshot.balance)), tolerance) <= 0,
  );
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

function judgeAll(boundaries: readonly Boundary[], ledger: Ledger, settleUntil: number): Omit<Reconciliation, "steps"> {
  const intervals: Interval[] = [];
  let settled: { at: number; balance: DecimalString; count: number } | null = null;
  for (const [index, boundary] of boundaries.entries()) {
    const last = boundaries[index - 1];
    if (!last) continue;
    intervals.push(ledger.judge(last, boundary));
    const { at, balance, match, isAlone } = boundary;
    if (at <= settleUntil && isAlone && match !== "none" && ledger.leadsTo(boundary))
      settled = { at, balance, count: intervals.length };
  }
  const last = boundaries.at(-1);
  const rest = last && ledger.rest(last);
  if (rest) intervals.push(rest);
  if (!settled) return { intervals: merged(intervals), settled };
  const { at, balance, count } = settled;
  const first = merged(intervals.slice(0, count));
  return { intervals: merged([...first, ...intervals.slice(count)]), settled: { at, balance, intervals: first } };
}

class Ledger {
  readonly times: number[];
  readonly #steps: readonly Step[];
  readonly #input: ChainInput;

  constructor(steps: readonly Step[], input: ChainInput) {
    this.#steps = steps;
    this.#input = input;
    let latest = Number.NEGATIVE_INFINITY;
    this.times = steps.map(({ entry }) => {
      latest = Math.max(latest, entry.at);
      return latest;
    });
  }

  /** Returns the beginning of the ledger: before its first entry, or after it if its change is unknown; null if the balance there is unknown. */
  start(): Boundary | null {
    const [first] = this.#steps;
    const steps = first?.change === null ? 1 : 0;
    const balance = (steps === 0 ? first?.before : first?.after) ?? null;
    if (!first || balance === null) return null;
    return { at: first.entry.at, balance, steps, match: "exact", isAlone: false, isUnsettled: false };
  }

  /**
   * Finds the place of a snapshot: where the ledger has its balance, at its time or within the disorder of entries. It has at least
   * `least` steps before it, because an earlier snapshot has.
   */
  place({ at, balance }: Balance, least: number): Boundary {
    const [first, last] = [firstAfter(this.times, at - disorderMs - 1), firstAfter(this.times, at + disorderMs)];
    const isAlone = first === last;
    const isUnsettled = this.#input.isUnsettled(at);
    const [from, to] = [Math.max(least, first), Math.max(least, last)];
    const place = Math.max(least, firstAfter(this.times, at));
    if (this.#steps.length === 0 && this.#input.before === null)
      return { at, balance, steps: 0, match: "exact", isAlone, isUnsettled };
    let rounded: Boundary | null = null;
    for (let distance = 0; distance <= Math.max(place - from, to - place); distance++)
      for (const steps of distance === 0 ? [place] : [place - distance, place + distance])
        for (const known of steps < from || steps > to ? [] : this.#balancesAt(steps)) {
          const boundary = { at, balance: known, steps, isAlone, isUnsettled };
          if (balance === known) return { ...boundary, match: "exact" };
          const difference = absolute(subtract(balance, known));
          if (isZero(difference)) return { ...boundary, match: "exact" };
          if (compare(difference, this.#input.tolerance) <= 0) rounded ??= { ...boundary, match: "rounded" };
        }
    return rounded ?? { at, balance: add(balance, "0"), steps: place, match: "none", isAlone, isUnsettled };
  }

  /** Returns the known balances after a number of steps: that of the last one, and that before the next one. */
  #balancesAt(steps: number): DecimalString[] {
    const left = steps === 0 ? this.#input.before : (this.#steps[steps - 1]?.after ?? null);
    const right = this.#steps[steps]?.before ?? null;
    return [left, right].filter((balance) => balance !== null);
  }

  /** Returns true if the entries before a boundary lead to its balance; false if only the entry after it has this balance before it. */
  leadsTo({ balance, steps }: Boundary): boolean {
    const [left] = this.#balancesAt(steps);
    return left === undefined || compare(left, balance) === 0;
  }

  judge(from: Boundary, to: Boundary): Interval {
    const steps = this.#steps.slice(from.steps, to.steps);
    const change = sum(steps.map(({ expected }) => expected));
    const isSame = steps.length === 0 && from.balance === to.balance;
    const residual = isSame ? "0" : subtract(subtract(to.balance, from.balance), change);
    const interval = {
      from: from.at,
      to: to.at,
      opening: from.balance,
      change,
      entries: steps.length,
      closing: to.balance,
      residual,
    };
    const hole = this.#input.holes.find((one) => one.to > from.at && one.from < to.at);
    if (hole) return { ...interval, verdict: verdictIn(hole), cause: hole.cause };
    // A balance that the ledger does not have is only known to the digits of its snapshot.
    const allowed = [from, to].filter(({ match }) => match === "none").map(() => this.#input.tolerance);
    const isExplained = compare(absolute(residual), sum(allowed)) <= 0;
    const isBroken = steps.slice(1).some((step) => step.change === null) || !isClosed(from, steps, to);
    if (isExplained && !isBroken) {
      if (to.at > this.#input.readUntil) return { ...interval, verdict: "open", cause: reasons.unread };
      const isExact = from.match === "exact" && to.match === "exact";
      return { ...interval, verdict: isExact ? "proven" : "rounded", cause: null };
    }
    if (to.at > this.#input.openAfter) return { ...interval, verdict: "open", cause: reasons.young };
    if (to.isUnsettled && to.match === "none") return { ...interval, verdict: "open", cause: reasons.funding };
    return { ...interval, verdict: "break", cause: isExplained ? reasons.order : reasons.balance };
  }

  /** Judges the entries after the last boundary, which no snapshot confirms; null if there is none. */
  rest(last: Boundary): Interval | null {
    const final = this.#steps.at(-1);
    if (!final || final.after === null || last.steps >= this.#steps.length) return null;
    const at = Math.max(this.times.at(-1) ?? 0, last.at);
    const end: Boundary = {
      at,
      balance: final.after,
      steps: this.#steps.length,
      match: "exact",
      isAlone: false,
      isUnsettled: false,
    };
    const judged = this.judge(last, end);
    return judged.verdict === "proven" || judged.verdict === "rounded"
      ? { ...judged, verdict: "open", cause: reasons.noSnapshot }
      : judged;
  }
}

/** Returns false if the entries begin or end with another balance than the boundary there: what is missing at both ends may cancel out. */
function isClosed(from: Boundary, steps: readonly Step[], to: Boundary): boolean {
  const isSame = (one: DecimalString, other: DecimalString | null) => other === null || compare(one, other) === 0;
  return (
    steps.length === 0 ||
    (isSame(from.balance, steps[0]?.before ?? null) && isSame(to.balance, steps.at(-1)?.after ?? null))
  );
}

function unprovable({ times, versions }: Snapshots): Interval[] {
  const known = versions.flatMap(({ balance }) => balance ?? []);
  const [from, to, opening, closing] = [times[0], times.at(-1), known[0], known.at(-1)];
  if (from === undefined || to === undefined || opening === undefined || closing === undefined) return [];
  const residual = subtract(closing, opening);
  const facts = { opening, change: "0", entries: 0, closing, residual };
  return [{ from, to, ...facts, verdict: "unprovable", cause: reasons.noLedger }];
}
