/** What a stored snapshot says of the things that alerts are about. */

import { absolute, compare, decimalIn, isPositive, subtract } from "../core/decimal.ts";
import type { DecimalString, Row } from "../core/domain.ts";
import type { AlertSettings } from "../settings/sections/alerts.ts";
import type { StoredSnapshot } from "../store/alerts/alert-store.ts";
import { coinsText, nameText, percentText } from "./messages.ts";
import { type AlertKind, checkMaximum, checkMinimum, type Measurement, type Share, shareOf } from "./rules.ts";

const unknown = { value: null, verdict: "unknown", how: "is unknown" } as const;

type Result = Pick<Measurement, "value" | "verdict" | "how">;

interface Subject {
  seen: StoredSnapshot;
  kind: AlertKind;
  subject: string;
  what: string;
  threshold: DecimalString;
}

const measurement = ({ seen, ...named }: Subject, judged: Result): Measurement => ({
  ...named,
  account: seen.account,
  scopeId: seen.scopeId,
  ...judged,
});

/** Of the positions of a scope: how far each is from its liquidation, and the margin ratio of those that stand alone. */
export function measurePositions(seen: StoredSnapshot, rows: readonly Row[], settings: AlertSettings): Measurement[] {
  const { liquidationDistance, marginRatio } = settings;
  return rows.flatMap((row) => {
    const { symbol, hold_side: side, margin_mode: mode, margin_coin: coin } = row;
    const subject = JSON.stringify([seen.productType, symbol, coin, side, mode]);
    const what = `${nameText(symbol)} ${nameText(side)} (${nameText(mode)}, ${nameText(coin)}, ${seen.productType})`;
    const named = { seen, subject, what };
    return [
      ...(liquidationDistance === null
        ? []
        : [
            measurement(
              { ...named, kind: "liquidation-distance", threshold: liquidationDistance },
              liquidationDistanceOf(row, liquidationDistance),
            ),
          ]),
      // The ratio of crossed ones is that of their account.
      ...(marginRatio === null || mode !== "isolated"
        ? []
        : [
            measurement(
              { ...named, kind: "margin-ratio", threshold: marginRatio },
              marginRatioOf(decimalIn(row, "margin_ratio"), marginRatio),
            ),
          ]),
    ];
  });
}

/**
 * A liquidation price of zero or less means that there is none. One that stands alone and is on the wrong side of its price is
 * being liquidated; that of a crossed one can be on either side, as its whole account has it.
 */
function liquidationDistanceOf(row: Row, limit: DecimalString): Result {
  const liquidation = decimalIn(row, "liquidation_price");
  const mark = decimalIn(row, "mark_price");
  if (liquidation === null) return unknown;
  if (!isPositive(liquidation)) return { value: null, verdict: "good", how: "has no liquidation price" };
  if (mark === null || !isPositive(mark)) return unknown;
  const left = row.hold_side === "short" ? subtract(liquidation, mark) : subtract(mark, liquidation);
  const share: Share = { part: row.margin_mode === "isolated" ? left : absolute(left), whole: mark };
  const value = shareOf(share);
  const how = `is ${percentText(value ?? "0")} from its liquidation at ${liquidation} (mark ${mark})`;
  return { value, verdict: checkMinimum(share, limit), how };
}

function marginRatioOf(value: DecimalString | null, limit: DecimalString): Result {
  if (value === null) return unknown;
  const how = `has a margin ratio of ${percentText(value)}, and is liquidated at 100 %`;
  return { value, verdict: checkMaximum({ part: value, whole: "1" }, limit), how };
}

/** Of the futures accounts of a classic account: v1 and v2 tell the risk of each margin coin. */
export function measureFuturesAccounts(
  seen: StoredSnapshot,
  rows: readonly Row[],
  { marginRatio }: AlertSettings,
): Measurement[] {
  if (marginRatio === null || seen.productType === "unified") return [];
  return rows.map((row) => {
    const subject = JSON.stringify([seen.productType, row.margin_coin]);
    const what = `futures account in ${nameText(row.margin_coin)} (${seen.productType})`;
    const named = { seen, kind: "margin-ratio", subject, what, threshold: marginRatio } as const;
    return measurement(named, marginRatioOf(decimalIn(row, "cross_risk_rate"), marginRatio));
  });
}

/** Of the whole of a unified account: v3 tells one ratio. */
export function measureUnifiedAccount(
  seen: StoredSnapshot,
  [row]: readonly Row[],
  { marginRatio }: AlertSettings,
): Measurement[] {
  if (marginRatio === null || !row) return [];
  const what = "unified account";
  const named = { seen, kind: "margin-ratio", subject: "unified", what, threshold: marginRatio } as const;
  return [measurement(named, marginRatioOf(decimalIn(row, "margin_ratio"), marginRatio))];
}

/** What drawdown looks at: the whole of an equity, or all of it that has a price. */
export interface MonitoredEquity {
  value: DecimalString;
  /** Coins that the exchange has no price for, and so are in no sum. */
  unpriced: readonly string[];
  /** How much there is of each of them. */
  amounts: Readonly<Record<string, DecimalString>>;
}

/** Null where something did not tell its part: what is left would look like a loss. */
export function monitoredEquity([row]: readonly Row[]): MonitoredEquity | null {
  if (!row) return null;
  if (row.complete === 1) return withValue(decimalIn(row, "usdt_equity"), {});
  if (typeof row.unpriced !== "string" || row.missing !== null) return null;
  return withValue(decimalIn(row, "priced_usdt"), JSON.parse(row.unpriced) as Record<string, DecimalString>);
}

const withValue = (
  value: DecimalString | null,
  amounts: Readonly<Record<string, DecimalString>>,
): MonitoredEquity | null => (value === null ? null : { value, unpriced: Object.keys(amounts), amounts });

/** Of equity beside the peak of its window; null is a peak that nothing can be compared with. */
export function measureDrawdown(
  seen: StoredSnapshot,
  { value: equity, unpriced }: Pick<MonitoredEquity, "value" | "unpriced">,
  peak: DecimalString | null,
  threshold: DecimalString,
  hours: number,
): Measurement {
  const named = { seen, kind: "drawdown", subject: "equity", what: "equity", threshold } as const;
  if (peak === null || !isPositive(peak)) return measurement(named, unknown);
  const share: Share = { part: subtract(peak, equity), whole: peak };
  const value = shareOf(share);
  const days = hours / 24;
  const without = unpriced.length === 0 ? "" : ` (without ${coinsText(unpriced)}: no price)`;
  const how =
    compare(equity, peak) >= 0
      ? `of ${equity} USDT${without} is the most of ${days} days`
      : `of ${equity} USDT${without} is ${percentText(value ?? "0")} under the most of ${days} days (${peak} USDT)`;
  return measurement(named, { value, verdict: checkMaximum(share, threshold), how });
}
