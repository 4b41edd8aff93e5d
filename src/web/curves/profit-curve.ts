/** The curve of what the money in the selected accounts made, and of its drawdown. */
import { type Paced, pause, type Steps } from "../../core/async/cooperate.ts";
import { minuteMs } from "../../core/time.ts";
import type { Span } from "../../store/history.ts";
import { selectedAccounts } from "../data/comparison-periods.ts";
import type { View } from "../data/table.ts";
import { type CurveData, type CurveRequest, type Curves, sourceKey } from "./curves.ts";
import type { Point } from "./downsample.ts";
import { type LineInfo, slotsOf } from "./lines.ts";
import type { Paid, PaidAmount, PaidCache, PaidTransit } from "./paid.ts";
import { type Loss, Profit } from "./profit.ts";
import { equitySource } from "./sources.ts";

type ProfitLine = LineInfo & { name: "profit" | "drawdown" };

const linesOf = (isKnown: boolean): readonly ProfitLine[] => [
  { name: "profit", label: isKnown ? "Profit" : "Equity change", kind: "money" },
  { name: "drawdown", label: isKnown ? "Drawdown" : "Drawdown of equity", kind: "share" },
];

/** A request of a curve; its cache is that of the equity. */
export type ProfitRequest = Omit<CurveRequest, "key">;

/** Where money may have been paid of which nothing is known. */
export interface ProfitCurve extends CurveData {
  unknown: { from: number; to: number }[];
  /** Whether anything is known of what was paid; otherwise the curve is the change of the equity. */
  isPaidKnown: boolean;
  /** The largest drawdown of the range; null without a point. */
  largest: Loss | null;
}

/** What reads curves, and keeps what it has read. */
export interface Readers {
  curves: Curves;
  profits: ProfitCurves;
}

/** Computes curves of profits. */
export class ProfitCurves {
  readonly #curves: Curves;
  readonly #paid: PaidCache;

  constructor(curves: Curves, paid: PaidCache) {
    this.#curves = curves;
    this.#paid = paid;
  }

  *curve(view: View, request: ProfitRequest): Steps<ProfitCurve> {
    const { paid, isKnown, line } = yield* this.#paidIn(view, { from: request.from ?? 0, to: request.to });
    const ends = paid.transits.flatMap(({ from, to }) => [from, to]);
    const cuts = [...paid.flows.map(({ at }) => at), ...ends].sort((one, other) => one - other);
    const source = equitySource(view);
    const key = sourceKey("equity", source);
    const found = yield* this.#curves.curve(view.history, source, { ...request, key, lines: [line], cuts });
    const profit = new Profit(paid);
    const values = found.lines[0]?.values ?? [];
    const points = found.at.flatMap((at, index) => profit.add({ at, equity: values[index] ?? null }));
    const { from, to } = found;
    return {
      ...{ from, to, at: points.map(({ at }) => at) },
      lines: wanted(isKnown, request).map((line) => ({ ...line, values: points.map((point) => point[line.name]) })),
      unknown: paid.unknown.filter((one) => one.to > from && one.from < Math.min(to, paid.through)),
      isPaidKnown: isKnown,
      largest: profit.largest,
    };
  }

  /** Yields every point of the curve. */
  *points(view: View, request: ProfitRequest): Paced<Point> {
    const { paid, isKnown, line } = yield* this.#paidIn(view, { from: request.from ?? 0, to: request.to });
    const lines = wanted(isKnown, request);
    const profit = new Profit(paid);
    for (const point of this.#curves.points(view.history, equitySource(view), { ...request, key: "", lines: [line] })) {
      if (point === pause) yield pause;
      else
        for (const one of profit.add({ at: point.at, equity: point.values[0] ?? null }))
          yield { at: one.at, values: lines.map(({ name }) => one[name]) };
    }
  }

  /** Returns what was paid, and the line of the equity that it changes: where nothing is known of it, the whole equity. */
  *#paidIn(view: View, span: Span): Steps<{ paid: Paid; isKnown: boolean; line: string }> {
    const accounts = selectedAccounts(view);
    const paid = yield* this.#paid.of(view.history, accounts, view.at);
    if (paid.isNothingKnown) return { paid, isKnown: false, line: "total" };
    const known = {
      ...paid,
      flows: paid.flows.filter(({ at }) => at > span.from && at < span.to),
      transits: paid.transits.filter(({ from, to }) => to > span.from && from < span.to),
    };
    const aligned = accounts.length > 1 ? yield* atCommonSlots(view, known) : known;
    return { paid: aligned, isKnown: true, line: "ledger_part" };
  }
}

/** How long after its common slot a snapshot of an account may be taken. Milliseconds. */
const longestMs = 2 * minuteMs;

/** Returns what was paid at the common slots of the first snapshots that contain it, where these slots are before it. */
function* atCommonSlots(view: View, paid: Paid): Steps<Paid> {
  const { history } = view;
  const slots = slotsOf(history, equitySource(view));
  const accounts = selectedAccounts(view);
  const sources = new Map(accounts.map((account) => [account, equitySource({ ...view, account })]));
  const slotAt = (account: string, at: number): number => {
    const source = sources.get(account);
    const [item] = source?.items ?? [];
    if (!source || !item) return at;
    const [first] = history.points(source.dataset, item, { from: at, to: at + longestMs }, ["complete"], () => null);
    return first ? Math.min(at, slots.of(accounts.indexOf(account), first.slot)) : at;
  };
  const flows: PaidAmount[] = [];
  for (const flow of paid.flows) {
    flows.push({ ...flow, at: slotAt(flow.account, flow.at) });
    yield pause;
  }
  const transits: PaidTransit[] = [];
  for (const one of paid.transits) {
    transits.push({ ...one, from: slotAt(one.account, one.from), to: slotAt(one.account, one.to) });
    yield pause;
  }
  const through = Math.min(...accounts.map((account) => slotAt(account, paid.through + 1) - 1));
  return { ...paid, flows: flows.sort((one, other) => one.at - other.at), transits, through };
}

const wanted = (isKnown: boolean, { lines }: ProfitRequest): ProfitLine[] =>
  linesOf(isKnown).filter(({ name }) => lines?.includes(name) ?? true);

/** Returns the names of the lines of a request. */
export const profitLineNames = (request: ProfitRequest): string[] => wanted(true, request).map(({ name }) => name);
