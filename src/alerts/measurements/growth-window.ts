/** Finds how far the money in an account is below its highest point in a window of time, without what was paid in and out. */
import { compare, isPositive } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { GrowthChain, type Valuation } from "../../returns/time-weighted.ts";
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

/** The growth within the last hours, as valuations are added in their order. */
export class GrowthWindow {
  readonly #windowMs: number;
  #chain = new GrowthChain();
  #at: number | null = null;
  #last: Point | null = null;
  /** The points that may be the highest when earlier ones have left the window: each is higher than all after it. */
  #highs: Point[] = [];
  #unknown: Span[] = [];

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
    copy.#chain = this.#chain.copy();
    copy.#at = this.#at;
    copy.#last = this.#last;
    copy.#highs = [...this.#highs];
    copy.#unknown = [...this.#unknown];
    return copy;
  }

  /** Adds a valuation. Returns the height at it; null if its equity is unknown. */
  add({ at, equity, flow, isGap }: Valuation): Height | null {
    const last = this.#last;
    this.#at = at;
    if (flow === null && last) this.#unknown.push({ from: last.at, to: at });
    // After a total loss, money that comes in starts another growth.
    if (last && !isPositive(last.growth) && isPositive(flow ?? "0")) {
      this.#chain = new GrowthChain();
      this.#highs = [];
    }
    const grown = this.#chain.add({ at, equity, flow: flow ?? "0", isGap });
    if (!grown || equity === null) return null;
    this.#last = { at, equity, growth: grown.least };
    return this.#heightAt(this.#last);
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
