/** What the money in an account made, whatever was paid in and out. */
import type { Steps } from "../../core/async/cooperate.ts";
import { round, subtract, sumOf } from "../../core/decimal.ts";
import type { Cell, DecimalString } from "../../core/domain.ts";
import { instantText } from "../../queries/close.ts";
import { type Period, periodOf, periodsOf, type Span, spanOf } from "../../queries/periods.ts";
import { type Returns, returnsOf } from "../../returns/returns.ts";
import type { Report } from "../report.ts";
import { type AccountValuation, Valuations } from "./valuations.ts";

/** Digits after the point of a return. */
const places = 12;

export const returns: Report = {
  name: "returns",
  summary: "time-weighted and money-weighted returns, and the largest drawdown",
  columns: [
    ...["day", "account", "opening", "closing", "flows", "result"],
    ...["time_weighted", "time_weighted_least", "time_weighted_greatest", "money_weighted"],
    ...["drawdown", "peak_at", "lowest_at", "recovered_at", "opening_at", "closing_at", "unpriced", "unknown"],
  ],
  by: "month",
  usesLedger: true,
  money: { atTimes: { opening: "opening_at", closing: "closing_at" }, during: ["flows", "result"] },
  *rows(source, span) {
    const whole = spanOf(span);
    if (!whole) return;
    const periods = [...periodsOf(span)];
    if (periods.length > 1) periods.push({ name: "total", ...whole });
    for (const { account, dataset } of source.history.series(source.account)) {
      if (dataset !== "equity") continue;
      const reader = new Valuations(source, account);
      // A period in progress ends where the ledger does.
      const end = whole.to > source.now ? Math.min(whole.to, reader.through) : whole.to;
      const all = yield* reader.in({ from: whole.from, to: end });
      for (const period of periods) {
        const part = partOf(all, { ...period, to: Math.max(period.from, Math.min(period.to, end)) }, span, reader);
        // Before its first snapshot the account did not exist.
        if (part.valuations.length > 0) yield [period.name, account, ...(yield* cellsOf(part))];
      }
    }
  },
};

/** The valuations of a period, from its opening to its close. */
interface Part {
  valuations: readonly AccountValuation[];
  /** Null is unknown. */
  opening: AccountValuation | null;
  closing: AccountValuation | null;
}

function partOf(all: readonly AccountValuation[], { from, to }: Period, span: Span, reader: Valuations): Part {
  const [before, last] = [lastBefore(all, from), lastBefore(all, to)];
  const valuations = all.slice(Math.max(before, 0), last + 1);
  const known = (one: AccountValuation | undefined, end: number, since: number) =>
    one && reader.isCurrent(one, end - 1, since) ? one : null;
  const { from: earlier } = periodOf(span.timezone, span.by, from - 1);
  // An account that is new begins with its first equity.
  const opening =
    before < 0 ? (valuations.find(({ equity }) => equity !== null) ?? null) : known(all[before], from, earlier);
  return { valuations, opening, closing: known(all[last], to, from) };
}

/** Returns the place of the last snapshot before an instant; -1 if there is none. */
function lastBefore(all: readonly AccountValuation[], instant: number): number {
  let [from, to] = [0, all.length];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if ((all[middle]?.at ?? instant) < instant) from = middle + 1;
    else to = middle;
  }
  let last = from - 1;
  while (last >= 0 && all[last]?.slot === null) last -= 1;
  return last;
}

function* cellsOf(part: Part): Steps<Cell[]> {
  const { valuations, opening, closing } = part;
  const found = opening && closing && (yield* returnsOf(valuations));
  const since = opening ? valuations.slice(valuations.indexOf(opening) + 1) : [];
  const [start, end] = [opening?.recorded ?? null, closing?.recorded ?? null];
  // What was under way at the opening came in, and what was so at the closing left.
  const arrived = subtract(underWay(opening), underWay(closing));
  const flows = found && sumOf([arrived, ...since.map(({ flow }) => flow)]);
  const change = found && subtract(end ?? "0", start ?? "0");
  const { timeWeighted = null, moneyWeighted = null, drawdown = null } = found ?? {};
  const { least = null, greatest = null } = timeWeighted ?? {};
  return [
    ...[start, end, flows, change && flows && subtract(change, flows)],
    ...[least === greatest ? least : null, least, greatest, moneyWeighted, drawdown?.depth ?? null].map(
      (fraction) => fraction && round(fraction, places),
    ),
    ...[drawdown?.peakAt, drawdown?.lowestAt, drawdown?.recoveredAt, opening?.at, closing?.at].map((at) =>
      instantText(at ?? null),
    ),
    [...new Set(since.flatMap(({ unpriced }) => unpriced))].join("; ") || null,
    unknownIn(part, since, found),
  ];
}

/** Returns what was under way between wallets at a snapshot. */
const underWay = (one: AccountValuation | null): DecimalString => subtract(one?.equity ?? "0", one?.recorded ?? "0");

function unknownIn(part: Part, since: readonly AccountValuation[], found: Returns | null): string | null {
  if (!part.opening) return "the equity at the beginning";
  if (!part.closing) return "the equity at the end";
  if (!found) return "there is only one snapshot";
  const cause = since.find((one) => one.cause !== null)?.cause ?? null;
  return cause ?? (found.timeWeighted ? null : "the equity was not above zero");
}
