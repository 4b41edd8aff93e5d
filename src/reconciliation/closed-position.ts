/** Compares the result of a closed position, as the exchange lists it, with the entries of the ledger that belong to the position. */
import { absolute, add, compare, isZero, subtract, sumOf } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { minuteMs } from "../core/time.ts";
import { fundingPaidAt } from "./funding.ts";
import { firstAfter } from "./snapshots.ts";
import type { Verdict } from "./verdict.ts";

/** A closed position as the exchange lists it; null is unknown. Times are epoch ms, amounts in the margin coin, fees negative if paid. */
export interface ClosedPosition {
  symbol: string;
  marginCoin: string;
  holdSide: string;
  openedAt: number | null;
  closedAt: number;
  realizedPl: DecimalString | null;
  netProfit: DecimalString | null;
  funding: DecimalString | null;
  openFee: DecimalString | null;
  closeFee: DecimalString | null;
  cashDividend: DecimalString | null;
}

/** An entry of the ledger of the product type. */
export interface PositionEntry {
  at: number;
  coin: string;
  symbol: string | null;
  kind: string;
  type: string;
  fee: DecimalString | null;
  /** What it changed the balance by; null if that is unknown. */
  change: DecimalString | null;
}

/** Sums over the entries of a position; null where one of them is unknown, or may belong to another position. Fees are positive if paid. */
export interface BillSums {
  realizedPl: DecimalString | null;
  funding: DecimalString | null;
  fees: DecimalString | null;
  netProfit: DecimalString | null;
  /** Whether the change of an entry is not known, or not known yet. */
  hasUnknown: boolean;
}

/** A comparison: the exchange's fees (positive if paid), the sums, and the exchange's net profit minus that of the bills. */
export interface PositionVerdict {
  fees: DecimalString | null;
  bills: BillSums;
  difference: DecimalString | null;
  verdict: Verdict;
}

/** Entries that belong to a position are booked within this time after its close. Milliseconds. */
export const bookedWithinMs = minuteMs;

const kinds = new Set(["trade", "liquidation", "margin", "fee", "funding"]);

export const noBills: BillSums = { realizedPl: null, funding: null, fees: null, netProfit: null, hasUnknown: false };

/** Returns the event of an entry, epoch ms. That of funding right after the close is the close, unless it is the last whole hour. */
function eventOf({ kind, at }: PositionEntry, { closedAt }: ClosedPosition): number {
  if (kind !== "funding") return at;
  const paidAt = fundingPaidAt(at);
  const isAfterClose = paidAt === at && closedAt < at && at <= closedAt + bookedWithinMs;
  return isAfterClose ? closedAt : paidAt;
}

const isOpenAt = ({ openedAt, closedAt }: ClosedPosition, instant: number): boolean =>
  openedAt !== null && openedAt <= instant && instant <= closedAt;

/** Returns the side that the type of an entry names; null where it names none, as in one-way mode. */
export const sideOf = (type: string): string | null =>
  /(?:^|_)(long|short)(?:_|$)/i.exec(type)?.[1]?.toLowerCase() ?? null;

/** Returns whether an entry closes a position. In one-way mode only the profit shows it: an opening has none. */
function isClosing({ type, kind, change, fee }: PositionEntry): boolean {
  if (/open/i.test(type)) return false;
  if (kind === "liquidation" || /close|delivery/i.test(type)) return true;
  return change !== null && compare(change, fee ?? "0") !== 0;
}

const isWithoutEffect = ({ change, fee }: PositionEntry): boolean =>
  change !== null && isZero(change) && isZero(fee ?? "0");

/**
 * Returns the same for a trade that names no side, where no other closed position is known: the order that opened or closed the position
 * may have closed one that is not listed, or opened one that is still open. An opening has no profit, and a close rarely none.
 */
function isOwnTrade({ openedAt, closedAt }: ClosedPosition, event: number, entry: PositionEntry): boolean | null {
  if (openedAt === closedAt) return true;
  if (event === closedAt) return isClosing(entry) ? true : null;
  return event !== openedAt || !isClosing(entry);
}

/**
 * Returns whether an entry belongs to a position: true, false, or null if it may belong to another one as well. `others` are the
 * other closed positions of the symbol.
 */
function belongs(position: ClosedPosition, others: readonly ClosedPosition[], entry: PositionEntry): boolean | null {
  const event = eventOf(entry, position);
  const side = sideOf(entry.type);
  if (!isOpenAt(position, event) || (side !== null && side !== position.holdSide)) return false;
  if (entry.symbol === null) return null;
  const rivals = others.filter(
    (other) =>
      other.marginCoin === position.marginCoin &&
      (side === null || side === other.holdSide) &&
      (other.openedAt === null ? event <= other.closedAt : isOpenAt(other, event)),
  );
  const [rival] = rivals;
  if (!rival) return side === null && entry.kind === "trade" ? isOwnTrade(position, event, entry) : true;
  // One was closed by the order that opened the other one.
  if (rivals.length > 1 || entry.kind === "funding") return null;
  if (rival.closedAt === event && position.openedAt === event) return !isClosing(entry);
  if (position.closedAt === event && rival.openedAt === event) return isClosing(entry);
  return null;
}

/** Returns the sums over the entries of a position. `entries` are those of its product type, sorted by time; `times` are their times. */
export function sumBills(
  position: ClosedPosition,
  others: readonly ClosedPosition[],
  { entries, times }: { entries: readonly PositionEntry[]; times: readonly number[] },
): BillSums {
  if (position.openedAt === null) return noBills;
  let trades: DecimalString | null = "0";
  let funding: DecimalString | null = "0";
  let fees: DecimalString = "0";
  let hasUnknown = false;
  const events = new Set<number>();
  const end = firstAfter(times, position.closedAt + bookedWithinMs);
  for (const entry of entries.slice(firstAfter(times, position.openedAt - 1), end)) {
    const { symbol, coin, kind, change, fee } = entry;
    if (!kinds.has(kind) || coin !== position.marginCoin || (symbol !== null && symbol !== position.symbol)) continue;
    const isOwn = isWithoutEffect(entry) ? false : belongs(position, others, entry);
    if (isOwn === false) continue;
    const isUnknown = isOwn === null || change === null;
    hasUnknown ||= change === null;
    if (kind === "funding") {
      // Two payments of one hour belong to the two sides of the symbol.
      const event = eventOf(entry, position);
      const isSecond = events.has(event);
      events.add(event);
      funding = isUnknown || isSecond || funding === null ? null : add(funding, change);
    } else {
      trades = isUnknown || trades === null ? null : add(trades, change);
      fees = subtract(fees, fee ?? "0");
    }
  }
  return {
    realizedPl: trades === null ? null : add(trades, fees),
    funding,
    fees: trades === null ? null : fees,
    netProfit: sumOf([trades, funding]),
    hasUnknown,
  };
}

/** By how much the exchange cuts each amount of a closed position; its fees are two of them. */
const cut = "0.00000001";
const cutTwice = "0.00000002";

/** Returns the comparison of a position with the sums over its bills. `coverage` is "open" or "gap" where the bills are not complete. */
export function judgePosition(
  position: ClosedPosition,
  sums: BillSums,
  coverage: "open" | "gap" | null,
): PositionVerdict {
  const { realizedPl, funding, netProfit, cashDividend } = position;
  const paid = sumOf([position.openFee, position.closeFee]);
  const fees = paid === null ? null : subtract("0", paid);
  if (coverage !== null) return { fees, bills: noBills, difference: null, verdict: coverage };
  // Dividends are not among the entries of the position.
  const net = netProfit === null ? null : subtract(netProfit, cashDividend ?? "0");
  const differences = [
    { by: minus(realizedPl, sums.realizedPl), tolerance: cut },
    { by: minus(funding, sums.funding), tolerance: cut },
    { by: minus(fees, sums.fees), tolerance: cutTwice },
    { by: minus(net, sums.netProfit), tolerance: cut },
  ];
  const known = differences.flatMap(({ by, tolerance }) => (by === null ? [] : [{ by, tolerance }]));
  const isBroken = known.some(({ by, tolerance }) => compare(absolute(by), tolerance) > 0);
  const isWhole = known.length === differences.length;
  const isExact = known.every(({ by }) => isZero(by));
  const verdict = isBroken ? "break" : !isWhole ? "unprovable" : isExact ? "proven" : "rounded";
  return { fees, bills: sums, difference: differences[3]?.by ?? null, verdict };
}

const minus = (one: DecimalString | null, other: DecimalString | null): DecimalString | null =>
  one === null || other === null ? null : subtract(one, other);
