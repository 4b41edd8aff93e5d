/** Reads the recorded price of a coin at any instant. */
import { periodAt } from "../core/cron.ts";
import { asDecimal } from "../core/decimal.ts";
import { publicAccount } from "../core/domain.ts";
import { dayMs } from "../core/time.ts";
import { prices as dataset } from "../datasets/snapshots/prices.ts";
import type { Price } from "../returns/attribution.ts";
import type { HistoryReader, ItemCells, ItemPoint, SchedulePeriod } from "../store/history.ts";
import { scheduleAt, schedulesOf } from "./source.ts";

type Point = ItemPoint<Price>;

/** Reads the prices of coins. It is fast for instants of which each is near or after the one before. */
export class Prices {
  readonly #history: HistoryReader;
  readonly #schedules: readonly SchedulePeriod[];
  readonly #coins = new Map<string, CoinPrices>();

  constructor(history: HistoryReader) {
    this.#history = history;
    this.#schedules = schedulesOf(history, publicAccount, dataset.name);
  }

  /**
   * Returns the price of a coin, in any case, that was recorded nearest to an instant (epoch ms), at most two periods of the schedule
   * away from it; a day where nothing was scheduled.
   */
  at(coin: string, instant: number): Price {
    const name = coin.toUpperCase();
    if (name === "USDT") return "1";
    const found = this.#coins.get(name) ?? new CoinPrices((from) => pointsOf(this.#history, name, from));
    this.#coins.set(name, found);
    return found.nearest(instant, this.#toleranceAt(instant));
  }

  #toleranceAt(instant: number): number {
    const pattern = scheduleAt(this.#schedules, instant)?.pattern;
    return pattern ? 2 * periodAt(pattern, pattern.latest(instant)) : dayMs;
  }
}

/**
 * Returns the time up to which the price nearest to an instant is final, where everything is recorded up to `recordedTo`: a later price is
 * nearer only within two periods of the schedule. Epoch ms.
 */
export function pricesSettledTo(history: HistoryReader, recordedTo: number): number {
  const pattern = scheduleAt(schedulesOf(history, publicAccount, dataset.name), recordedTo)?.pattern;
  if (!pattern || !Number.isFinite(recordedTo)) return recordedTo;
  return pattern.latest(pattern.latest(recordedTo - 1) - 1);
}

function* pointsOf(history: HistoryReader, coin: string, from: number): Generator<Point, void> {
  const valueFrom = (cells: ItemCells): Price => (cells ? asDecimal(cells[0]) : undefined);
  const span = { from, to: Number.MAX_SAFE_INTEGER };
  for (const item of history.items(dataset, publicAccount, null, { coin, quote: "USDT" }))
    for (const point of history.points(dataset, item, span, ["price"], valueFrom))
      if (point.value !== undefined) yield point;
}

/** The prices of one coin, of which those near the last instant are kept. */
class CoinPrices {
  readonly #pointsFrom: (from: number) => Iterator<Point, void>;
  #points: Iterator<Point, void> | null = null;
  /** The points from `#from` on, up to the last that was read. */
  #near: Point[] = [];
  #from = Number.POSITIVE_INFINITY;

  constructor(pointsFrom: (from: number) => Iterator<Point, void>) {
    this.#pointsFrom = pointsFrom;
  }

  nearest(instant: number, tolerance: number): Price {
    const distance = ({ at }: Point) => Math.abs(at - instant);
    const near = this.#between(instant - tolerance, instant + tolerance);
    return near.sort((one, other) => distance(one) - distance(other))[0]?.value;
  }

  #between(from: number, to: number): Point[] {
    if (!this.#points || from < this.#from) {
      this.#points = this.#pointsFrom(from);
      this.#near = [];
      this.#from = from;
    }
    while ((this.#near.at(-1)?.at ?? 0) <= to) {
      const { value, done } = this.#points.next();
      if (done) break;
      this.#near.push(value);
    }
    // Some more are kept, for an instant that is a little earlier.
    this.#from = Math.max(this.#from, 2 * from - to);
    this.#near = this.#near.filter(({ at }) => at >= this.#from);
    return this.#near.filter(({ at }) => at >= from && at <= to);
  }
}
