/** Finds how far the money in an account is below its highest point in a window of time, without what was paid in and out. */
import { compare, isPositive, isZero, multiply, truncate } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { growthAcross, type Valuation } from "../../returns/time-weighted.ts";
import type { Span } from "../../store/history.ts";

/** One valuation with a known equity, and the factor by which one unit of money has grown up to it. */
interface Point {
  at: number;
  equity: DecimalString;
  growth: DecimalString;
}

/** The end of a window. */
export interface Height extends Point {
  /** The highest growth of the window. */
  peak: DecimalString;
  /** From when to when it is unknown what was paid since that peak, so that it counts as won or lost; null if everything is known. */
  unknown: Span | null;
}

/** Digits after the point that are kept of a growth. */
const places = 20;

/** The growth within the last hours, as valuations are added in their order. */
export class GrowthWindow {
  readonly #windowMs: number;
  #at: number | null = null;
  #last: Point | null = null;
  /** The last point before which something was paid; a growth is computed from it, so that it is rounded once per payment. */
  #paid: Point | null = null;
  /** The points that may be the highest when earlier ones have left the window: each is higher than all after it. */
  #highs: Point[] = [];
  #unknown: Span[] = [];
  /** The valuations with an unknown equity since the last point. */
  #skipped: Valuation[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** The time of the last valuation, epoch ms; null before the first. */
  get at(): number | null {
    return this.#at;
  }

  /** Returns a window that continues from here independently of this one. */
  copy(): GrowthWindow {
    const copy = new GrowthWindow(this.#windowMs);
    copy.#at = this.#at;
    copy.#last = this.#last;
    copy.#paid = this.#paid;
    copy.#highs = [...this.#highs];
    copy.#unknown = [...this.#unknown];
    copy.#skipped = [...this.#skipped];
    return copy;
  }

  /** Adds a valuation. Returns the height at it; null if its equity is unknown. */
  add({ at, equity, flow, isGap }: Valuation): Height | null {
    const last = this.#last;
    this.#at = at;
    if (flow === null && last) this.#unknown.push({ from: last.at, to: at });
    const known = { at, equity, flow: flow ?? "0", isGap };
    if (equity === null) {
      this.#skipped.push(known);
      return null;
    }
    const since = [...this.#skipped, known];
    // After a total loss, money that comes in starts another growth.
    const isFirst = !last || (!isPositive(last.growth) && since.some((one) => isPositive(one.flow ?? "0")));
    const growth = isFirst ? "1" : this.#grown(last, since);
    const point = { at, equity, growth: growth ?? last?.growth ?? "1" };
    if (isFirst) this.#highs = [];
    if (isFirst || growth === null || since.some((one) => !isZero(one.flow ?? "0"))) this.#paid = point;
    this.#last = point;
    this.#skipped = [];
    return this.#heightAt(point);
  }

  /** Returns the growth after the last point; null if what was won or lost since is not known, so that it is left out. */
  #grown(last: Point, since: readonly Valuation[]): DecimalString | null {
    const paid = this.#paid ?? last;
    const begin = (paid === last ? [last] : [paid, last]).map(({ at, equity }) => ({ at, equity, ...nothingPaid }));
    const end = [...growthAcross([...begin, ...since])].at(-1);
    return !end || end.isAfterUnknown ? null : truncate(multiply(paid.growth, end.least), places);
  }

  #heightAt(point: Point): Height {
    const from = point.at - this.#windowMs;
    // Points that are not higher are the last ones, and those that have left the window the first: a long fall takes no longer than a rise.
    this.#highs.length = this.#highs.findLastIndex(({ growth }) => compare(growth, point.growth) > 0) + 1;
    this.#highs.push(point);
    this.#highs.splice(
      0,
      this.#highs.findIndex(({ at }) => at >= from),
    );
    this.#unknown.splice(
      0,
      this.#unknown.findIndex(({ to }) => to >= from),
    );
    const highest = this.#highs[0] ?? point;
    const first = this.#unknown.find(({ to }) => to > highest.at);
    const end = this.#unknown.at(-1);
    return { ...point, peak: highest.growth, unknown: first && end ? { from: first.from, to: end.to } : null };
  }
}

const nothingPaid = { flow: "0", isGap: false };
