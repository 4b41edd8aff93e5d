/** The returns of an account over a span, from its equity at each snapshot and the money paid in and out in between. */
import { pause, type Steps } from "../core/async/cooperate.ts";
import { subtract } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { type Drawdown, Drawdowns } from "./drawdown.ts";
import { type Flow, moneyWeightedReturn } from "./money-weighted.ts";
import { type Growth, growthAcross, type Valuation } from "./time-weighted.ts";

/** A return as a fraction (0.1 is 10 %): between these bounds, which are equal where it is known exactly. */
export interface Bounds {
  least: DecimalString;
  greatest: DecimalString;
}

/** The returns from the first to the last valuation. */
export interface Returns {
  /** Null where the result of a period is unknown. */
  timeWeighted: Bounds | null;
  /** Null without a single rate. */
  moneyWeighted: DecimalString | null;
  /** Without the periods whose result is unknown; null if that of none or of the last one is, after which nothing is known. */
  drawdown: Drawdown | null;
}

/** A valuation, and each of the flows since the one before. */
export type DetailedValuation = Valuation & { flows: readonly Flow[] };

/** Returns the returns from the first to the last known equity; null if there are not two. */
export function* returnsOf(valuations: readonly DetailedValuation[]): Steps<Returns | null> {
  const from = valuations.findIndex(({ equity }) => equity !== null);
  const to = valuations.findLastIndex(({ equity }) => equity !== null);
  const [first, last] = [valuations[from], valuations[to]];
  if (from === to || !first?.equity || !last?.equity) return null;
  let end: Growth | null = null;
  let [known, unknown] = [-1, 0];
  let isEndKnown = true;
  const drawdowns = new Drawdowns();
  for (const growth of growthAcross(valuations)) {
    end = growth;
    isEndKnown = !growth.isAfterUnknown;
    if (isEndKnown) known += 1;
    else unknown += 1;
    drawdowns.add(growth);
    yield pause;
  }
  const whole = unknown === 0 ? end : null;
  const since = valuations.slice(from + 1, to + 1);
  const isPaidKnown = since.every(({ flow }) => flow !== null);
  const span = { from: first.at, to: last.at };
  const flows = since.flatMap((one) => one.flows);
  return {
    timeWeighted: whole && { least: subtract(whole.least, "1"), greatest: subtract(whole.greatest, "1") },
    moneyWeighted: isPaidKnown ? yield* moneyWeightedReturn(first.equity, flows, last.equity, span) : null,
    drawdown: known > 0 && isEndKnown ? drawdowns.largest : null,
  };
}
