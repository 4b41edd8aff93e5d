/** Equity beside its greatest value of a window. */
import { add, compare, isPositive, multiply, subtract } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { hourMs } from "../core/time.ts";
import type { AlertStore, EquityPeak, StoredSnapshot } from "../store/alerts/alert-store.ts";
import { type MonitoredEquity, measureDrawdown } from "./measurements.ts";
import type { Measurement } from "./rules.ts";

/** The greatest equity of each hour: what is stored, and what a look has found beyond it. */
export class Peaks {
  readonly found: EquityPeak[] = [];
  readonly #store: Pick<AlertStore, "peaks">;

  constructor(store: Pick<AlertStore, "peaks">) {
    this.#store = store;
  }

  /** Adds an equity. Returns the peaks of so many hours that end with its own. */
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
 * Returns what an equity says beside the peaks of its window. A coin that had a price within the window is in the peaks of that
 * time: beside those its absence would look like a loss. A loss even with its last worth taken off the peak is one.
 */
export async function evaluateDrawdown(
  seen: StoredSnapshot,
  equity: MonitoredEquity,
  peaks: readonly EquityPeak[],
  { drawdown, drawdownHours }: { drawdown: DecimalString; drawdownHours: number },
  store: Pick<AlertStore, "lastPrices" | "pricedUntil">,
): Promise<Measurement> {
  const beside = (peak: DecimalString | null) => measureDrawdown(seen, equity, peak, drawdown, drawdownHours);
  const greatest = highestOf(peaks);
  const reading = beside(greatest);
  if (equity.unpriced.length === 0 || reading.verdict === "good") return reading;
  const worth = (await store.lastPrices(equity.unpriced, seen))
    .map(({ coin, price }) => multiply(price, equity.amounts[coin] ?? "0"))
    // What was owed made no peak higher.
    .reduce((all, one) => (isPositive(one) ? add(all, one) : all), "0");
  const atLeast = beside(subtract(greatest ?? "0", worth));
  if (atLeast.verdict === "bad") return atLeast;
  const pricedUntil = await store.pricedUntil(equity.unpriced, seen, seen.takenAt - drawdownHours * hourMs);
  if (pricedUntil === null) return reading;
  const since = beside(highestOf(peaks.filter((one) => one.hour > hourOf(pricedUntil))));
  // Beside a part of the window a loss is a loss, while its absence is no recovery.
  return since.verdict === "bad" ? since : { ...since, verdict: "unknown" };
}

const hourOf = (at: number): number => at - (at % hourMs);

const highestOf = (peaks: readonly EquityPeak[]): DecimalString | null =>
  peaks.reduce<DecimalString | null>(
    (greatest, { equity }) => (greatest === null || compare(equity, greatest) > 0 ? equity : greatest),
    null,
  );
