/** The curves of the selected accounts for which it counts what was paid in and out: profit, drawdown, and the equity with net deposits. */
import { type Paced, pause, type Steps } from "../../core/async/cooperate.ts";
import { minuteMs } from "../../core/time.ts";
import type { Span } from "../../store/history.ts";
import { selectedAccounts } from "../data/comparison-periods.ts";
import type { View } from "../data/table.ts";
import { type CurveData, type CurveRequest, type Curves, sourceKey } from "./curves.ts";
import type { Point } from "./downsample.ts";
import { type LineInfo, slotsOf } from "./lines.ts";
import { NetDeposits } from "./net-deposits.ts";
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

/** A curve for which it counts what was paid. */
export interface PaidCurve extends CurveData {
  /** Where money may have been paid of which nothing is known. */
  unknown: { from: number; to: number }[];
  /** Whether anything is known of what was paid; otherwise a profit is the change of the equity. */
  isPaidKnown: boolean;
}

export interface ProfitCurve extends PaidCurve {
  /** The largest drawdown of the range; null without a point. */
  largest: Loss | null;
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

  *curve(view: View, request: ProfitRequest): Steps<ProfitCurve> {
    const { paid, isKnown, line } = yield* this.#paidIn(view, { from: request.from ?? 0, to: request.to });
    const cuts = cutsIn(paid);
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
      unknown: unknownIn(paid, found),
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

  /** Returns the requested lines of the equity, and after them the net deposits. */
  *equity(view: View, request: ProfitRequest): Steps<PaidCurve> {
    const source = equitySource(view);
    const { paid, isKnown } = yield* this.#paidIn(view, { from: request.from ?? 0, to: request.to });
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
    const { paid } = yield* this.#paidIn(view, { from: request.from ?? 0, to: request.to });
    const deposits = new NetDeposits(paid);
    const asked = { ...request, key: "", lines: besideDeposits(request) };
    for (const point of this.#curves.points(view.history, equitySource(view), asked)) {
      if (point === pause) yield pause;
      else {
        const { at, values } = point;
        yield { at, values: [...values.slice(0, -1), deposits.at({ at, equity: values.at(-1) ?? null })] };
      }
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

/** Returns the parts of a span in which an unknown amount may have been paid. */
const unknownIn = ({ unknown, through }: Paid, { from, to }: Span): Span[] =>
  unknown.filter((one) => one.to > from && one.from < Math.min(to, through));

/** Returns the times at which payments change the curve. */
const cutsIn = ({ flows, transits }: Paid): number[] =>
  [...flows.map(({ at }) => at), ...transits.flatMap(({ from, to }) => [from, to])].sort((one, other) => one - other);

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
