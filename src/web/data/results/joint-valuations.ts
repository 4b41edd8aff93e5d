/** Joins the valuations of several accounts into those of all of them together. */
import { add, isPositive, subtract, sum, sumOf } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { minuteMs } from "../../../core/time.ts";
import type { AccountValuation } from "../../../reports/ledger/valuations.ts";
import type { Valuation } from "../../../returns/time-weighted.ts";

/** The valuations of one account over a span. */
export interface AccountValuations {
  account: string;
  /** From the last snapshot before the span on, oldest first. */
  valuations: readonly AccountValuation[];
  /** False for an account that begins with its first valuation. */
  isOld: boolean;
  /** False if no entries were ever collected; then its flows are unknown, and count as none. */
  hasLedger: boolean;
}

/** The equity of all accounts together, and what was paid in and out since the one before. USDT. */
export interface JointValuation extends Valuation {
  equity: DecimalString;
  /** The equity of all wallets, also those without a ledger; null if it is unknown. */
  whole: DecimalString | null;
  /** The flows of money into the accounts and out of them; the latter are negative. */
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
  flow: DecimalString | null;
}

const nothing: Pending = {
  flow: "0",
  paidIn: "0",
  paidOut: "0",
  joined: "0",
  joinedWhole: "0",
  cause: null,
  isGap: false,
};

/** What is known of an account at some time. */
interface Known {
  equity: DecimalString | null;
  whole: DecimalString | null;
  at: number;
  slot: number;
  /** Whether it has a snapshot since the last joint valuation. */
  isNew: boolean;
}

/** Returns whether the last snapshots of all accounts are of one slot, or new and of one minute, because accounts have different seconds. */
function areTogether(all: readonly Known[]): boolean {
  const isOne = (timeOf: (slot: number) => number) => new Set(all.map(({ slot }) => timeOf(slot))).size === 1;
  return isOne((slot) => slot) || (all.every(({ isNew }) => isNew) && isOne((slot) => Math.floor(slot / minuteMs)));
}

/** Returns a valuation whenever all accounts that have begun have a snapshot together, and at each flow into one; ends with a snapshot. */
export function jointValuations(accounts: readonly AccountValuations[]): JointValuation[] {
  const events = accounts.flatMap((account) => account.valuations.map((valuation) => ({ ...account, valuation })));
  events.sort((one, other) => one.valuation.at - other.valuation.at);
  const known = new Map<string, Known>();
  const oldAccounts = accounts.filter(({ isOld, valuations }) => isOld && valuations.length > 0).length;
  const found: JointValuation[] = [];
  let pending = nothing;
  for (const { account, isOld, hasLedger, valuation } of events) {
    const { at, slot, whole } = valuation;
    const equity = hasLedger ? valuation.equity : whole;
    const isFirst = !known.has(account);
    if (isFirst && !isOld && equity === null) continue;
    const isJoining = isFirst && !isOld && known.size + oldAccounts > 0;
    if (!isFirst) pending = withFlow(pending, { ...valuation, equity }, hasLedger);
    if (isJoining) pending = withJoined(pending, equity ?? "0", whole);
    const last = slot === null ? known.get(account) : undefined;
    known.set(account, {
      equity,
      whole: last ? last.whole : whole,
      at: last?.at ?? at,
      slot: slot ?? last?.slot ?? at,
      isNew: slot !== null,
    });
    const all = [...known.values()];
    const total = known.size < oldAccounts ? null : sumOf(all.map((one) => one.equity));
    if (total === null || (slot !== null && !areTogether(all))) continue;
    const times = slot === null ? null : new Map([...known].map(([name, one]) => [name, one.at]));
    found.push({ at, equity: total, whole: sumOf(all.map((one) => one.whole)), ...pending, times });
    pending = nothing;
    if (times) for (const one of all) one.isNew = false;
  }
  return found.slice(0, found.findLastIndex(({ times }) => times !== null) + 1);
}

function withFlow(
  pending: Pending,
  { flow, flows, cause, isGap, equity }: AccountValuation,
  hasLedger: boolean,
): Pending {
  const amounts = flows.map(({ amount }) => amount);
  const paidIn = sum(amounts.filter(isPositive));
  return {
    ...pending,
    flow: sumOf([pending.flow, hasLedger ? flow : "0"]),
    paidIn: add(pending.paidIn, paidIn),
    paidOut: add(pending.paidOut, subtract(sum(amounts), paidIn)),
    cause: pending.cause ?? cause,
    isGap: pending.isGap || isGap || equity === null,
  };
}

const withJoined = (pending: Pending, equity: DecimalString, whole: DecimalString | null): Pending => ({
  ...pending,
  flow: sumOf([pending.flow, equity]),
  joined: add(pending.joined, equity),
  joinedWhole: sumOf([pending.joinedWhole, whole]),
});
