/** Joins the valuations of several accounts into those of all of them together. */
import { add, isPositive, subtract, sum, sumOf } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { minuteMs } from "../../../core/time.ts";
import type { AccountValuation } from "../../../reports/ledger/valuations.ts";
import type { Flow } from "../../../returns/money-weighted.ts";
import type { Valuation } from "../../../returns/time-weighted.ts";

/** The valuations of one account over a span. */
export interface AccountValuations {
  account: string;
  /** From the last snapshot before the span on, oldest first. */
  valuations: readonly AccountValuation[];
  /** False for an account that begins with its first valuation. */
  isOld: boolean;
}

/** The equity of all accounts together, and what was paid in and out since the one before. USDT. */
export interface JointValuation extends Valuation {
  equity: DecimalString;
  /** The equity of all wallets, also those without a ledger; null if it is unknown. */
  whole: DecimalString | null;
  /** The flows of money into the accounts and out of them since the last snapshot; the latter are negative. "0" at a flow. */
  paidIn: DecimalString;
  paidOut: DecimalString;
  /** The equity of accounts that began, which is part of `flow`, and that of all of their wallets. */
  joined: DecimalString;
  joinedWhole: DecimalString | null;
  /** Why `flow` is unknown; null if it is known. */
  cause: string | null;
  /** The time of each account's snapshot; null at a flow, where the equity is computed. */
  times: ReadonlyMap<string, number> | null;
}

/** What happened since the last joint valuation. */
interface Pending extends Pick<JointValuation, "paidIn" | "paidOut" | "joined" | "joinedWhole" | "cause" | "isGap"> {
  /** The flows that count at the next snapshot, and those that count before the result until then. */
  flow: DecimalString | null;
  cameIn: readonly Flow[];
}

const none = { paidIn: "0", paidOut: "0", joined: "0", joinedWhole: "0", cause: null, isGap: false };
const nothing: Pending = { ...none, flow: "0", cameIn: [] };

/** What is known of an account at some time. */
interface Known {
  equity: DecimalString | null;
  whole: DecimalString | null;
  at: number;
  slot: number;
  /** Whether it has a snapshot since the last joint valuation. */
  isNew: boolean;
}

/**
 * Returns whether the last snapshots of all accounts are of one slot, or of one minute, because accounts have different seconds. Then they
 * must be new, unless it is the first one of an account.
 */
function areTogether(all: readonly Known[], isFirst: boolean): boolean {
  const [first] = all;
  const isOne = (timeOf: (slot: number) => number) =>
    all.every(({ slot }) => timeOf(slot) === timeOf(first?.slot ?? slot));
  return (
    isOne((slot) => slot) ||
    ((isFirst || all.every(({ isNew }) => isNew)) && isOne((slot) => Math.floor(slot / minuteMs)))
  );
}

/**
 * Returns a valuation whenever all accounts that have begun have a snapshot together, and before it one at each flow into an account, with
 * the equity of the last one together: as for a single account, such a flow is no part of a result. Where one account was not recorded for
 * too long, the result before a flow into any of them cannot be distinguished from the one after it. Unless `hasLedgers`, flows are unknown
 * and count as none.
 */
export function jointValuations(accounts: readonly AccountValuations[], hasLedgers: boolean): JointValuation[] {
  const events = accounts.flatMap(({ account, isOld, valuations }) =>
    valuations.map((valuation) => ({ account, isOld, valuation })),
  );
  events.sort((one, other) => one.valuation.at - other.valuation.at);
  const known = new Map<string, Known>();
  const oldAccounts = accounts.filter(({ isOld, valuations }) => isOld && valuations.length > 0).length;
  const found: JointValuation[] = [];
  /** Flows into accounts of which there was no snapshot since then. */
  const waiting = new Map<string, AccountValuation[]>();
  let pending = nothing;
  for (const { account, isOld, valuation } of events) {
    const { at, slot, whole } = valuation;
    if (slot === null) {
      waiting.set(account, [...(waiting.get(account) ?? []), valuation]);
      continue;
    }
    const equity = hasLedgers ? valuation.equity : whole;
    const isFirst = !known.has(account);
    if (isFirst && !isOld && equity === null) continue;
    const isJoining = isFirst && !isOld && known.size + oldAccounts > 0;
    if (!isFirst) {
      for (const one of waiting.get(account) ?? []) pending = withFlow(pending, one, one.equity, hasLedgers);
      pending = withFlow(pending, valuation, equity, hasLedgers);
    }
    waiting.delete(account);
    if (isJoining) pending = withJoined(pending, equity ?? "0", whole);
    known.set(account, { equity, whole, at, slot, isNew: true });
    const all = [...known.values()];
    const total = known.size < oldAccounts ? null : sumOf(all.map((one) => one.equity));
    if (total === null || !areTogether(all, isFirst)) continue;
    const times = new Map<string, number>();
    for (const [name, one] of known) times.set(name, one.at);
    const snapshot = { at, equity: total, whole: sumOf(all.map((one) => one.whole)), times };
    addTo(found, snapshot, pending);
    pending = nothing;
    for (const one of all) one.isNew = false;
  }
  return found;
}

/** Adds the valuations after a joint snapshot up to the next one. */
function addTo(
  found: JointValuation[],
  { at, equity, whole, times }: Pick<JointValuation, "at" | "equity" | "whole" | "times">,
  { cameIn, flow, paidIn, paidOut, joined, joinedWhole, cause, isGap }: Pending,
): void {
  const last = found.at(-1);
  const isOneStep = !last || isGap || flow === null;
  let held = last?.equity ?? "0";
  for (const one of isOneStep ? [] : cameIn) {
    held = add(held, one.amount);
    found.push({ ...none, at: one.at, equity: held, whole: null, flow: one.amount, times: null });
  }
  const all = isOneStep && cameIn.length > 0 ? sumOf([flow, ...cameIn.map(({ amount }) => amount)]) : flow;
  found.push({ at, equity, whole, times, paidIn, paidOut, joined, joinedWhole, cause, isGap, flow: all });
}

function withFlow(
  pending: Pending,
  { slot, flow, flows, cause, isAfterGap }: AccountValuation,
  equity: DecimalString | null,
  hasLedgers: boolean,
): Pending {
  const after = { cause: pending.cause ?? cause, isGap: pending.isGap || isAfterGap || equity === null };
  // As after nearly all snapshots, of which a year has half a million.
  if (flows.length === 0 && (flow === "0" || !hasLedgers))
    return after.cause === pending.cause && after.isGap === pending.isGap ? pending : { ...pending, ...after };
  const amounts = flows.map(({ amount }) => amount);
  const paidIn = sum(amounts.filter(isPositive));
  const counted = hasLedgers ? { flow, flows } : { flow: "0", flows: [] };
  return {
    ...pending,
    ...(slot === null
      ? { cameIn: [...pending.cameIn, ...counted.flows] }
      : { flow: sumOf([pending.flow, counted.flow]) }),
    paidIn: add(pending.paidIn, paidIn),
    paidOut: add(pending.paidOut, subtract(sum(amounts), paidIn)),
    ...after,
  };
}

const withJoined = (pending: Pending, equity: DecimalString, whole: DecimalString | null): Pending => ({
  ...pending,
  flow: sumOf([pending.flow, equity]),
  joined: add(pending.joined, equity),
  joinedWhole: sumOf([pending.joinedWhole, whole]),
});
