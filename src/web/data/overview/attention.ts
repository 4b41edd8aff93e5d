/** Finds what needs attention: open alerts, positions near liquidation, high margin ratios, stale feeds, and coins without a price. */
import { futuresAccountText, positionText, unifiedAccountText } from "../../../alerts/messages.ts";
import { holdsMoney } from "../../../bitget/product-types.ts";
import { compare, decimalIn, isZero } from "../../../core/decimal.ts";
import { type DecimalString, publicAccount, type Scope } from "../../../core/domain.ts";
import { type HistoryRow, positionKey } from "../../../store/history.ts";
import type { ShownAlert } from "../health/alerts.ts";
import type { View } from "../table.ts";
import type { MarginUse } from "./margin.ts";

/** Something that needs attention. */
export type Attention =
  | { kind: "alert"; account: string; alert: ShownAlert; present: DecimalString | null }
  | { kind: "liquidation"; account: string; position: HistoryRow; distance: DecimalString }
  | { kind: "margin"; account: string; use: MarginUse; ratio: DecimalString }
  | { kind: "stale"; accounts: string[]; datasets: string[] }
  | { kind: "price"; account: string; isKnown: boolean; coins: string[] };

/** A position that is closer to its liquidation needs attention, and a margin ratio above half of that of a liquidation. Shares. */
const limits = { distance: "0.15", marginRatio: "0.5" };

/** What is searched for what needs attention; `positions` and `balances` are rows of these tables. */
interface Searched {
  alerts: readonly ShownAlert[];
  positions: readonly HistoryRow[];
  margins: readonly MarginUse[];
  balances: readonly HistoryRow[];
}

/** Returns what needed attention at the shown instant, the most dangerous first. What has an open alert is not listed twice. */
export function attentionIn(view: View, { alerts, positions, margins, balances }: Searched): Attention[] {
  const isAlerted = (kind: string, account: unknown, what: string) =>
    alerts.some((one) => one.kind === kind && one.account === account && one.what === what);
  const near = positions.flatMap((position): Attention[] => {
    const distance = decimalIn(position, "liquidation_distance");
    const { account, product_type } = position;
    if (distance === null || compare(distance, limits.distance) >= 0) return [];
    if (isAlerted("liquidation-distance", account, positionText(position, product_type))) return [];
    return [{ kind: "liquidation", account: String(account), position, distance }];
  });
  const high = margins.flatMap((use): Attention[] => {
    const { account, ratio } = use;
    if (ratio === null || compare(ratio, limits.marginRatio) < 0) return [];
    return isAlerted("margin-ratio", account, accountText(use)) ? [] : [{ kind: "margin", account, use, ratio }];
  });
  const open = alerts.map((alert): Attention => {
    const present = presentOf(alert, positions, margins);
    return { kind: "alert", account: alert.account, alert, present };
  });
  return [...open, ...near, ...high, ...staleFeeds(view, isAlerted), ...unpriced(balances)];
}

/** Returns the figure that an alert is about, as of the shown instant; null where it has none, or only an older one is known. */
function presentOf(
  { kind, account, what }: ShownAlert,
  positions: readonly HistoryRow[],
  margins: readonly MarginUse[],
): DecimalString | null {
  if (kind === "liquidation-distance") {
    const own = positions.find((one) => one.account === account && positionText(one, one.product_type) === what);
    return own && !own.last_known_at ? decimalIn(own, "liquidation_distance") : null;
  }
  if (kind !== "margin-ratio") return null;
  return margins.find((one) => one.account === account && !one.isOld && accountText(one) === what)?.ratio ?? null;
}

const accountText = ({ wallet, coin }: MarginUse): string =>
  wallet === "unified" ? unifiedAccountText : futuresAccountText(coin, wallet);

/** Returns the feeds that are stale, without those that have an open alert. */
function staleFeeds(
  { history, account, at, isNow }: View,
  isAlerted: (kind: string, account: string, what: string) => boolean,
): Attention[] {
  const feeds = isNow ? history.freshness(at) : history.scheduled(at).map((one) => history.freshnessAt(one, at));
  const stale = feeds.filter(({ account: own, dataset, fresh, offered }) => {
    const isSelected = account === null || own === account || own === publicAccount;
    return isSelected && offered && !fresh && !isAlerted("stale", own, dataset);
  });
  if (stale.length === 0) return [];
  const accounts = [...new Set(stale.map((one) => one.account))];
  return [{ kind: "stale", accounts, datasets: stale.map(({ dataset }) => dataset) }];
}

/** Returns the coins that are held and have no value, by account: `isKnown` where it is known that they have no price. */
function unpriced(balances: readonly HistoryRow[]): Attention[] {
  const found = new Map<string, { account: string; isKnown: boolean; coins: Set<string> }>();
  for (const { account, coin, wallet, total, usdt_value: value, price_state: state } of balances) {
    const isHeld = typeof coin === "string" && typeof total === "string" && !isZero(total);
    if (!isHeld || value !== null || !holdsMoney(String(wallet) as Scope)) continue;
    const key = `${state} ${account}`;
    const own = found.get(key) ?? { account: String(account), isKnown: state === "none", coins: new Set() };
    found.set(key, own);
    own.coins.add(coin);
  }
  return [...found.values()].map((one) => ({ ...one, kind: "price", coins: [...one.coins] }));
}

/** Returns the key columns of a position. */
export const keyOf = (position: HistoryRow): Record<string, unknown> =>
  Object.fromEntries(positionKey.map((name) => [name, position[name]]));
