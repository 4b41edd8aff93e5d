/** Reads the recorded price of a coin at any instant. */
import { periodAt } from "../core/cron.ts";
import { asDecimal } from "../core/decimal.ts";
import { publicAccount } from "../core/domain.ts";
import { dayMs } from "../core/time.ts";
import { prices as dataset } from "../datasets/snapshots/prices.ts";
import type { Price } from "../returns/attribution.ts";
import type { HistoryReader, ItemCells, ItemPoint, SchedulePeriod } from "../store/history.ts";

type Point = ItemPoint<Price>;

/** Reads the prices of coins at instants that follow each other. */
export class Prices {
  readonly #history: HistoryReader;
  readonly #schedules: SchedulePeriod[];
  readonly #coins = new Map<string, CoinPrices>();

  constructor(history: HistoryReader) {
    this.#history = history;
    const series = history.series(publicAccount).find((one) => one.dataset === dataset.name);
    this.#schedules = series ? history.schedules(series.id) : [];
  }

  /**
   * Returns the price of a coin, in any case, that was recorded nearest to an instant (epoch ms), at most two periods of the schedule
   * away from it; a day where nothing was scheduled. The instants of one coin must not go back.
   */
  at(coin: string, instant: number): Price {
    const name = coin.toUpperCase();
    if (name === "USDT") return "1";
    const tolerance = this.#toleranceAt(instant);
    const found = this.#coins.get(name) ?? new CoinPrices(pointsOf(this.#history, name, instant - tolerance));
    this.#coins.set(name, found);
    return found.nearest(instant, tolerance);
  }

  #toleranceAt(instant: number): number {
    const pattern = this.#schedules.find(({ since, until }) => since <= instant && until > instant)?.pattern;
    return pattern ? 2 * periodAt(pattern, pattern.latest(instant)) : dayMs;
  }
}

function* pointsOf(history: HistoryReader, coin: string, from: number): Generator<Point, void> {
  const valueFrom = (cells: ItemCells): Price => (cells ? asDecimal(cells[0]) : undefined);
  const span = { from, to: Number.MAX_SAFE_INTEGER };
  for (const item of history.items(dataset, publicAccount, null, { coin, quote: "USDT" }))
    for (const point of history.points(dataset, item, span, ["price"], valueFrom))
      if (point.value !== undefined) yield point;
}

/** The prices of one coin, read once from the oldest to the newest. */
class CoinPrices {
  readonly #points: Iterator<Point, void>;
  #before: Point | null = null;
  #after: Point | null;

  constructor(points: Iterator<Point, void>) {
    this.#points = points;
    this.#after = this.#points.next().value ?? null;
  }

  nearest(instant: number, tolerance: number): Price {
    while (this.#after && this.#after.at <= instant) {
      this.#before = this.#after;
      this.#after = this.#points.next().value ?? null;
    }
    const distance = (point: Point | null) => (point ? Math.abs(point.at - instant) : Number.POSITIVE_INFINITY);
    const nearest = distance(this.#before) <= distance(this.#after) ? this.#before : this.#after;
    return nearest && distance(nearest) <= tolerance ? nearest.value : undefined;
  }
}
