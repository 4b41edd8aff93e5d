/** The curves of the selected accounts for which it counts what was paid in and out: profit, drawdown, and the equity with net deposits. */
import { type Paced, pause, type Steps } from "../../../core/async/cooperate.ts";
import type { Span } from "../../../store/history.ts";
import { countedAccounts, selectedAccounts } from "../../data/comparison-periods.ts";
import type { View } from "../../data/table.ts";
import { type CurveData, type CurveRequest, type Curves, sourceKey } from "../curves.ts";
import type { Point } from "../downsample.ts";
import type { LineInfo } from "../lines.ts";
import { Alignment } from "./alignment.ts";
import { NetDeposits } from "./net-deposits.ts";
import type { Paid, PaidCache } from "./paid.ts";
import { Profit } from "./profit.ts";

type ProfitLine = LineInfo & { name: "profit" | "drawdown" };

const linesOf = (isKnown: boolean): readonly ProfitLine[] => [
  { name: "profit", label: isKnown ? "Profit" : "Equity change", kind: "money" },
  { name: "drawdown", label: isKnown ? "Drawdown" : "Drawdown of equity", kind: "share" },
];

/** A request of a curve; its cache is that of the equity. */
export type ProfitRequest = Omit<CurveRequest, "key">;

/** A curve for which it counts what was paid. */
export interface PaidCurve extends CurveData {
  /** Where money may have been paid of which nothing is known. */
  unknown: { from: number; to: number }[];
  /** Whether anything is known of what was paid; otherwise a profit is the change of the equity. */
  isPaidKnown: boolean;
}

/** What reads curves, and keeps what it has read. */
export interface Readers {
  curves: Curves;
  profits: ProfitCurves;
  paid: PaidCache;
}

/** Computes curves of profits. */
export class ProfitCurves {
  readonly #curves: Curves;
  readonly #paid: PaidCache;

  constructor(curves: Curves, paid: PaidCache) {
    this.#curves = curves;
    this.#paid = paid;
  }

  *curve(view: View, request: ProfitRequest): Steps<PaidCurve> {
    const span = { from: request.from ?? 0, to: request.to };
    const { paid, isKnown, line, alignment } = yield* this.#paidIn(view, countedAccounts(view), span);
    const { source } = alignment;
    const key = sourceKey("equity", source);
    const asked = { ...request, key, lines: [line], cuts: cutsIn(paid) };
    const found = yield* this.#curves.curve(view.history, source, asked);
    const profit = new Profit(paid, (from, to) => alignment.isGap(from, to));
    const values = found.lines[0]?.values ?? [];
    const points = found.at.flatMap((at, index) => profit.add({ at, equity: values[index] ?? null }));
    const { from, to } = found;
    return {
      ...{ from, to, at: points.map(({ at }) => at) },
      lines: wanted(isKnown, request).map((line) => ({ ...line, values: points.map((point) => point[line.name]) })),
      unknown: unknownIn(paid, found),
      isPaidKnown: isKnown,
    };
  }

  /** Yields every point of the curve. */
  *points(view: View, request: ProfitRequest): Paced<Point> {
    const span = { from: request.from ?? 0, to: request.to };
    const { paid, isKnown, line, alignment } = yield* this.#paidIn(view, countedAccounts(view), span);
    const lines = wanted(isKnown, request);
    const profit = new Profit(paid, (from, to) => alignment.isGap(from, to));
    const asked = { ...request, key: "", lines: [line] };
    for (const point of this.#curves.points(view.history, alignment.source, asked)) {
      if (point === pause) yield pause;
      else
        for (const one of profit.add({ at: point.at, equity: point.values[0] ?? null }))
          yield { at: one.at, values: lines.map(({ name }) => one[name]) };
    }
  }

  /** Returns the requested lines of the equity, and after them the net deposits. */
  *equity(view: View, request: ProfitRequest): Steps<PaidCurve> {
    const span = { from: request.from ?? 0, to: request.to };
    const { paid, isKnown, alignment } = yield* this.#paidIn(view, selectedAccounts(view), span);
    const { source } = alignment;
    const asked = { ...request, key: sourceKey("equity", source), lines: besideDeposits(request) };
    const cuts = cutsIn(paid);
    const found = yield* this.#curves.curve(view.history, source, { ...asked, cuts });
    const { from, to, at } = found;
    const deposits = new NetDeposits(paid);
    const equities = found.lines.at(-1)?.values ?? [];
    const values = at.map((at, index) => deposits.at({ at, equity: equities[index] ?? null }));
    return {
      ...{ from, to, at, lines: [...found.lines.slice(0, -1), { ...netDeposits, values }] },
      unknown: unknownIn(paid, found),
      isPaidKnown: isKnown,
    };
  }

  /** Yields every point of the same curve. */
  *equityPoints(view: View, request: ProfitRequest): Paced<Point> {
    const span = { from: request.from ?? 0, to: request.to };
    const { paid, alignment } = yield* this.#paidIn(view, selectedAccounts(view), span);
    const deposits = new NetDeposits(paid);
    const asked = { ...request, key: "", lines: besideDeposits(request) };
    for (const point of this.#curves.points(view.history, alignment.source, asked)) {
      if (point === pause) yield pause;
      else {
        const { at, values } = point;
        yield { at, values: [...values.slice(0, -1), deposits.at({ at, equity: values.at(-1) ?? null })] };
      }
    }
  }

  /** Returns what was paid, and the line of the equity that it changes: where nothing is known of it, the whole equity. */
  *#paidIn(view: View, accounts: readonly string[], span: Span): Steps<PaidIn> {
    const paid = yield* this.#paid.of(view.history, accounts, view.at);
    const isKnown = !paid.isNothingKnown;
    const line = isKnown ? "ledger_part" : "total";
    const alignment = new Alignment(view, accounts, line);
    return { paid: yield* alignment.paidIn(paid, span), isKnown, line, alignment };
  }
}

interface PaidIn {
  paid: Paid;
  isKnown: boolean;
  line: string;
  alignment: Alignment;
}

/** Returns the parts of a span in which an unknown amount may have been paid. */
const unknownIn = ({ unknown, through }: Paid, { from, to }: Span): Span[] =>
  unknown.filter((one) => one.to > from && one.from < Math.min(to, through));

/** Returns the times at which payments change the curve, are unknown, or were not read yet. */
const cutsIn = ({ flows, transits, unknown, through }: Paid): number[] =>
  [...flows.map(({ at }) => at), ...[...transits, ...unknown].flatMap(({ from, to }) => [from, to]), through].sort(
    (one, other) => one - other,
  );

const netDeposits: LineInfo = {
  name: "net_deposits",
  label: "Opening equity and net deposits",
  kind: "money",
  isStep: true,
};

/** Returns whether a request of the equity names the net deposits. */
export const hasDeposits = ({ lines }: ProfitRequest): boolean => lines?.includes(netDeposits.name) ?? false;

/** Returns the other lines of a request, and the line that the net deposits change. */
const besideDeposits = ({ lines }: ProfitRequest): string[] => [
  ...(lines ?? []).filter((name) => name !== netDeposits.name),
  "ledger_part",
];

const wanted = (isKnown: boolean, { lines }: ProfitRequest): ProfitLine[] =>
  linesOf(isKnown).filter(({ name }) => lines?.includes(name) ?? true);

/** Returns the names of the lines of a request. */
export const profitLineNames = (request: ProfitRequest): string[] => wanted(true, request).map(({ name }) => name);
