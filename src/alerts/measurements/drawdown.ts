/** Compares equity with its highest value in a window of time. */
import { add, compare, divide, isPositive, multiply, subtract } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { hourMs } from "../../core/time.ts";
import type { AlertStore, EquityPeak, StoredSnapshot } from "../../store/alerts/alert-store.ts";
import type { Span } from "../../store/history.ts";
import { amountText, coinsText, shareText, timeText } from "../messages.ts";
import { checkMaximum, type Measurement, type Share, shareOf } from "../rules.ts";
import type { SnapshotHeight } from "./ledger-drawdowns.ts";
import { type MonitoredEquity, unknown } from "./limits.ts";

/** The limit of a drawdown, and the hours that a peak counts. */
export interface DrawdownLimit {
  drawdown: DecimalString;
  drawdownHours: number;
}

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
  limit: DrawdownLimit,
  store: Pick<AlertStore, "lastPrices" | "pricedUntil">,
): Promise<Measurement> {
  const compareWith = (peak: DecimalString | null) => measureDrawdown(snapshot, equity, peak, limit);
  const highest = highestOf(peaks);
  const measured = compareWith(highest);
  if (equity.unpriced.length === 0 || measured.verdict === "good") return measured;
  const lastValue = (await store.lastPrices(equity.unpriced, snapshot))
    .map(({ coin, price }) => multiply(price, equity.amounts[coin] ?? "0"))
    // A negative balance did not raise a peak.
    .reduce((all, one) => (isPositive(one) ? add(all, one) : all), "0");
  const lowerBound = compareWith(subtract(highest ?? "0", lastValue));
  if (lowerBound.verdict === "bad") return lowerBound;
  const pricedUntil = await store.pricedUntil(
    equity.unpriced,
    snapshot,
    snapshot.takenAt - limit.drawdownHours * hourMs,
  );
  if (pricedUntil === null) return measured;
  const since = compareWith(highestOf(peaks.filter((one) => one.hour > hourOf(pricedUntil))));
  // A loss within a part of the window is a loss; no loss within a part of it is no recovery.
  return since.verdict === "bad" ? since : { ...since, verdict: "unknown" };
}

/** Measures an equity against the peak of its window, which a deposit or a withdrawal changes; unknown for a peak that is null or not positive. */
export function measureDrawdown(
  snapshot: StoredSnapshot,
  { value: equity, unpriced }: MonitoredEquity,
  peak: DecimalString | null,
  limit: DrawdownLimit,
): Measurement {
  if (peak === null || !isPositive(peak)) return { ...namesOf(snapshot, limit), ...unknown };
  const without = unpriced.length === 0 ? "" : ` (without ${coinsText(unpriced)}: no price)`;
  const held = `${amountText(equity, "USDT")}${without}`;
  return measured(snapshot, limit, {
    held,
    high: peak,
    share: { part: subtract(peak, equity), whole: peak },
    how: notTakenOut,
  });
}

/** Measures how far the money in the wallets with a ledger is below its peak, without what was paid in and out. */
export function measureHeight(snapshot: StoredSnapshot, height: SnapshotHeight, limit: DrawdownLimit): Measurement {
  const { at, equity, growth, peak, unknown: stretch, isPart } = height;
  if (!isPositive(peak)) return { ...namesOf(snapshot, limit), ...unknown };
  const how = stretch ? `${takenOut}, but ${stretchText(stretch, at)}` : takenOut;
  const held = `${amountText(equity, "USDT")}${isPart ? " in the wallets with a ledger" : ""}`;
  // The peak as the equity that would now be as high.
  const high = isPositive(growth) ? divide(multiply(equity, peak), growth) : null;
  return measured(snapshot, limit, {
    held,
    high,
    share: { part: subtract(peak, growth), whole: peak },
    how,
  });
}

/** Returns which payments are not taken out: those after a time, or those in a stretch that is over. */
const stretchText = ({ from, to }: Span, at: number): string =>
  to === at ? `not those after ${timeText(from)}` : `not those from ${timeText(from)} to ${timeText(to)}`;

const takenOut = "deposits and withdrawals are taken out";
const notTakenOut = "deposits and withdrawals are not taken out";

const namesOf = ({ account, scopeId }: StoredSnapshot, { drawdown }: DrawdownLimit) =>
  ({ kind: "drawdown", account, scopeId, subject: "equity", what: "equity", threshold: drawdown }) as const;

function measured(
  snapshot: StoredSnapshot,
  limit: DrawdownLimit,
  { held, high, share, how }: { held: string; high: DecimalString | null; share: Share; how: string },
): Measurement {
  const value = shareOf(share);
  const days = limit.drawdownHours / 24;
  const of = high === null ? "" : ` of ${amountText(high, "USDT")}`;
  return {
    ...namesOf(snapshot, limit),
    value,
    verdict: checkMaximum(share, limit.drawdown),
    how: isPositive(share.part)
      ? `of ${held} is ${shareText(value ?? "0", "up")} below its ${days}-day high${of} (${how})`
      : `of ${held} is at its ${days}-day high`,
  };
}

const hourOf = (at: number): number => at - (at % hourMs);

const highestOf = (peaks: readonly EquityPeak[]): DecimalString | null =>
  peaks.reduce<DecimalString | null>(
    (highest, { equity }) => (highest === null || compare(equity, highest) > 0 ? equity : highest),
    null,
  );
