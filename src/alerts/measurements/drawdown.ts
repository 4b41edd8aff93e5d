/** Compares equity with its highest value in a window of time. */
import { add, compare, isPositive, multiply, subtract } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { hourMs } from "../../core/time.ts";
import type { AlertStore, EquityPeak, StoredSnapshot } from "../../store/alerts/alert-store.ts";
import type { Measurement } from "../rules.ts";
import { type MonitoredEquity, measureDrawdown } from "./limits.ts";

/** The highest equity of each hour: stored peaks, and higher ones found by the current evaluation. */
export class Peaks {
  readonly found: EquityPeak[] = [];
  readonly #store: Pick<AlertStore, "peaks">;

  constructor(store: Pick<AlertStore, "peaks">) {
    this.#store = store;
  }

  /** Adds an equity. Returns the peaks of the `hours` up to and including its own. */
  async add({ account, takenAt }: StoredSnapshot, equity: DecimalString, hours: number): Promise<EquityPeak[]> {
    const own = { account, hour: hourOf(takenAt), equity };
    const from = own.hour - (hours - 1) * hourMs;
    const isWithin = (one: EquityPeak) => one.account === account && one.hour >= from && one.hour <= own.hour;
    const known = [...(await this.#store.peaks(account, from, own.hour)), ...this.found.filter(isWithin)];
    if (known.every((one) => one.hour !== own.hour || compare(equity, one.equity) > 0)) this.found.push(own);
    return [...known, own];
  }
}

/**
 * Measures the drawdown of an equity from the peaks of its window. A coin that lost its price within the window is still included in
 * the earlier peaks, so that its absence would look like a loss. It is a loss for certain if the limit is exceeded even after the
 * last value of those coins is subtracted from the peak.
 */
export async function evaluateDrawdown(
  snapshot: StoredSnapshot,
  equity: MonitoredEquity,
  peaks: readonly EquityPeak[],
  { drawdown, drawdownHours }: { drawdown: DecimalString; drawdownHours: number },
  store: Pick<AlertStore, "lastPrices" | "pricedUntil">,
): Promise<Measurement> {
  const compareWith = (peak: DecimalString | null) => measureDrawdown(snapshot, equity, peak, drawdown, drawdownHours);
  const highest = highestOf(peaks);
  const measured = compareWith(highest);
  if (equity.unpriced.length === 0 || measured.verdict === "good") return measured;
  const lastValue = (await store.lastPrices(equity.unpriced, snapshot))
    .map(({ coin, price }) => multiply(price, equity.amounts[coin] ?? "0"))
    // A negative balance did not raise a peak.
    .reduce((all, one) => (isPositive(one) ? add(all, one) : all), "0");
  const lowerBound = compareWith(subtract(highest ?? "0", lastValue));
  if (lowerBound.verdict === "bad") return lowerBound;
  const pricedUntil = await store.pricedUntil(equity.unpriced, snapshot, snapshot.takenAt - drawdownHours * hourMs);
  if (pricedUntil === null) return measured;
  const since = compareWith(highestOf(peaks.filter((one) => one.hour > hourOf(pricedUntil))));
  // A loss within a part of the window is a loss; no loss within a part of it is no recovery.
  return since.verdict === "bad" ? since : { ...since, verdict: "unknown" };
}

const hourOf = (at: number): number => at - (at % hourMs);

const highestOf = (peaks: readonly EquityPeak[]): DecimalString | null =>
  peaks.reduce<DecimalString | null>(
    (highest, { equity }) => (highest === null || compare(equity, highest) > 0 ? equity : highest),
    null,
  );
