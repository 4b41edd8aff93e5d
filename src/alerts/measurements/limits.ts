/** Compares the values in a stored snapshot with the limits of the alert rules. */

import { absolute, decimalIn, isPositive, subtract } from "../../core/decimal.ts";
import type { DecimalString, Row } from "../../core/domain.ts";
import type { AlertSettings } from "../../settings/sections/alerts.ts";
import type { StoredSnapshot } from "../../store/alerts/alert-store.ts";
import { futuresAccountText, positionText, priceText, shareText, unifiedAccountText } from "../messages.ts";
import { type AlertKind, checkMaximum, checkMinimum, type Measurement, type Share, shareOf } from "../rules.ts";

export const unknown = { value: null, verdict: "unknown", how: "is unknown" } as const;

type Result = Pick<Measurement, "value" | "verdict" | "how">;

interface Subject {
  snapshot: StoredSnapshot;
  kind: AlertKind;
  subject: string;
  what: string;
  threshold: DecimalString;
}

const measurement = ({ snapshot, ...named }: Subject, judged: Result): Measurement => ({
  ...named,
  account: snapshot.account,
  scopeId: snapshot.scopeId,
  ...judged,
});

/** Measures the distance of each position of a scope from its liquidation price, and the margin ratio of isolated ones. */
export function measurePositions(
  snapshot: StoredSnapshot,
  rows: readonly Row[],
  settings: AlertSettings,
): Measurement[] {
  const { liquidationDistance, marginRatio } = settings;
  return rows.flatMap((row) => {
    const { symbol, hold_side: side, margin_mode: mode, margin_coin: coin } = row;
    const subject = JSON.stringify([snapshot.productType, symbol, coin, side, mode]);
    const named = { snapshot, subject, what: positionText(row, snapshot.productType) };
    return [
      ...(liquidationDistance === null
        ? []
        : [
            measurement(
              { ...named, kind: "liquidation-distance", threshold: liquidationDistance },
              liquidationDistanceOf(row, liquidationDistance),
            ),
          ]),
      // Crossed positions share the margin ratio of their account.
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
 * Returns the distance from the liquidation price as a share of the mark price. A liquidation price of zero or less means that there
 * is none. An isolated position beyond its liquidation price is being liquidated; the liquidation price of a crossed position can be
 * on either side, since it depends on the whole account.
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
  const how = `is ${shareText(value ?? "0", "down")} from its liquidation at ${priceText(liquidation, mark)} (mark ${priceText(mark, mark)})`;
  return { value, verdict: checkMinimum(share, limit), how };
}

function marginRatioOf(value: DecimalString | null, limit: DecimalString): Result {
  if (value === null) return unknown;
  const how = `has a margin ratio of ${shareText(value, "up")}, and is liquidated at 100 %`;
  return { value, verdict: checkMaximum({ part: value, whole: "1" }, limit), how };
}

/** Measures the margin ratio of each futures account (classic accounts only: v1 and v2 report it by margin coin). */
export function measureFuturesAccounts(
  snapshot: StoredSnapshot,
  rows: readonly Row[],
  { marginRatio }: AlertSettings,
): Measurement[] {
  if (marginRatio === null || snapshot.productType === "unified") return [];
  return rows.map((row) => {
    const subject = JSON.stringify([snapshot.productType, row.margin_coin]);
    const what = futuresAccountText(row.margin_coin, snapshot.productType);
    const named = { snapshot, kind: "margin-ratio", subject, what, threshold: marginRatio } as const;
    return measurement(named, marginRatioOf(decimalIn(row, "cross_risk_rate"), marginRatio));
  });
}

/** Measures the margin ratio of a unified account, for which v3 reports one. */
export function measureUnifiedAccount(
  snapshot: StoredSnapshot,
  [row]: readonly Row[],
  { marginRatio }: AlertSettings,
): Measurement[] {
  if (marginRatio === null || !row) return [];
  const what = unifiedAccountText;
  const named = { snapshot, kind: "margin-ratio", subject: "unified", what, threshold: marginRatio } as const;
  return [measurement(named, marginRatioOf(decimalIn(row, "margin_ratio"), marginRatio))];
}

/** The equity that drawdown evaluates: all of it, or the part that has a price. USDT. */
export interface MonitoredEquity {
  value: DecimalString;
  /** Coins that are not included, because the exchange has no price for them. */
  unpriced: readonly string[];
  /** The amount of each of them. */
  amounts: Readonly<Record<string, DecimalString>>;
}

/** Returns the equity to evaluate. Null if a part is missing: the rest would look like a loss. */
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
