/** Computes what the selected accounts made today, in 7 and in 30 days, and their drawdown. */
import { pause, type Steps } from "../../../core/async/cooperate.ts";
import { add, divide, subtract, sum, sumOf } from "../../../core/decimal.ts";
import type { DecimalString } from "../../../core/domain.ts";
import { periodOf, startOfDays } from "../../../queries/periods.ts";
import { type DayResult, dayResults, total } from "../performance/performance.ts";
import type { View } from "../table.ts";
import { type CurrentDrawdown, drawdownOf } from "./drawdown.ts";
import { chained } from "./growth.ts";
import type { Part } from "./parts.ts";
import { readParts } from "./read-parts.ts";

/** What happened from a snapshot to a later one. USDT. */
export interface Result {
  /** The times of both, epoch ms. */
  from: number;
  to: number;
  /** Whether the first one was current at the beginning of the days. */
  isOnTime: boolean;
  /** The change of the equity without what was paid in and out, in the wallets with a ledger; null if flows are unknown. */
  profit: DecimalString | null;
  /** The change of the equity of all wallets and of what is under way between them; null if it is unknown. */
  change: DecimalString | null;
  /** The return as a fraction; of `change` if `profit` is unknown. Null if it is unknown. */
  share: DecimalString | null;
  paidIn: DecimalString;
  paidOut: DecimalString;
  /** Why flows are unknown; null if they are known. */
  cause: string | null;
}

export interface Results {
  /** Each null if no equity of it is known. */
  today: Result | null;
  week: Result | null;
  month: Result | null;
  /** The sum of trades, funding, fees and interest on those of the 30 days of which it is known, as the page of the performance has it. */
  realized: Realized;
  drawdown: CurrentDrawdown | null;
}

/** What was realised on days of which it is known as a whole. */
export interface Realized {
  value: DecimalString | null;
  /** The number of these days. */
  days: number;
  /** When the first day after the first equity begins, epoch ms; null before it. */
  from: number | null;
  /** Why it is unknown on the first such day since then; empty if there is none. */
  causes: readonly string[];
}

/** Number of local days of the longest result, the shown one included. */
export const days = 30;

/** Reads the results of the selected accounts up to the shown instant. */
export function* readResults(view: View): Steps<Results> {
  const today = periodOf(view.timezone, "day", view.at);
  const since = (days: number) => startOfDays(view.timezone, days, view.at);
  const { parts, known, through } = yield* readParts(view, since(days));
  yield pause;
  const fromDay = (from: number) =>
    resultOf(
      parts.filter((one) => one.from >= from),
      through,
    );
  return {
    today: fromDay(today.from),
    week: fromDay(since(7)),
    month: fromDay(since(days)),
    realized: realizedOf(yield* dayResults(view, { from: since(days), to: today.to })),
    drawdown: drawdownOf(known.length > 0 ? known : parts),
  };
}

/** Returns the result of parts up to where flows are known, or if they are unknown before, the change of the equity over all of them. */
function resultOf(all: readonly Part[], through: number): Result | null {
  const complete = all.filter(({ from }) => from < through);
  const isKnown = isLonger(complete) && causeOf(complete) === null;
  const parts = isKnown ? complete : all;
  const [first, last] = [parts[0], parts.at(-1)];
  if (!first || !last || !isLonger(parts)) return null;
  const [paidIn, paidOut] = [sum(parts.map((part) => part.paidIn)), sum(parts.map((part) => part.paidOut))];
  const opening = add(first.opening.equity, sum(parts.map(({ joined }) => joined)));
  const whole = sumOf([first.opening.whole, ...parts.map(({ joinedWhole }) => joinedWhole)]);
  const change = whole && last.closing.whole && subtract(last.closing.whole, whole);
  return {
    from: first.opening.at,
    to: last.closing.at,
    isOnTime: first.isOnTime,
    profit: isKnown ? subtract(last.closing.equity, sum([opening, paidIn, paidOut])) : null,
    change,
    share: isKnown ? growthShare(parts, first) : change && whole && divide(change, whole),
    paidIn,
    paidOut,
    cause: isKnown ? null : (causeOf(parts) ?? "not read up to here"),
  };
}

/** Returns whether anything is known after the opening. */
const isLonger = (parts: readonly Part[]): boolean => (parts.at(-1)?.closing.at ?? 0) > (parts[0]?.opening.at ?? 0);

/** Returns why flows of consecutive parts are unknown; null if they are known. */
function causeOf(parts: readonly Part[]): string | null {
  const hole = parts.some(({ opening }, at) => at > 0 && opening.at !== parts[at - 1]?.closing.at);
  return parts.find(({ cause }) => cause !== null)?.cause ?? (hole ? "the equity was unknown for a time" : null);
}

/** Returns the time-weighted return; null if it is not known exactly. */
function growthShare(parts: readonly Part[], { opening }: Part): DecimalString | null {
  const { growth, leftOut } = chained(parts);
  const [first, last] = [growth[0], growth.at(-1)];
  if (leftOut.length > 0 || !first || !last || first.at !== opening.at || last.least !== last.greatest) return null;
  return subtract(last.least, "1");
}

/** Sums up what was realised on the days of which it is known. */
function realizedOf(days: readonly DayResult[]): Realized {
  const { net_realized: value, knownDays } = total(days);
  const unknown = days.find((one) => one.net_realized === null);
  return {
    value,
    days: knownDays.net_realized,
    from: days[0]?.day.from ?? null,
    causes: unknown?.unknown.flatMap((one) => one.split("; ")) ?? [],
  };
}
