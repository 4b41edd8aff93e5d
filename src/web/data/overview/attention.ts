/** Finds what needs attention: open alerts, positions near liquidation, high margin ratios, stale feeds, and coins without a price. */
import { holdsMoney } from "../../../bitget/product-types.ts";
import { compare, decimalIn, isZero } from "../../../core/decimal.ts";
import { type DecimalString, publicAccount, type Scope } from "../../../core/domain.ts";
import type { OpenAlert } from "../../../store/alerts/alert-store.ts";
import { type HistoryRow, positionKey } from "../../../store/history.ts";
import type { View } from "../table.ts";
import type { MarginUse } from "./margin.ts";

/** Something that needs attention. */
export type Attention =
  | { kind: "alert"; account: string; alert: OpenAlert; sentence: string | null }
  | { kind: "liquidation"; account: string; position: HistoryRow; distance: DecimalString }
  | { kind: "margin"; account: string; use: MarginUse; ratio: DecimalString }
  | { kind: "stale"; accounts: string[]; datasets: string[] }
  | { kind: "price"; account: string; coins: string[] };

/** A position that is closer to its liquidation needs attention, and a margin ratio above half of that of a liquidation. Shares. */
const limits = { distance: "0.15", marginRatio: "0.5" };

/** How many of the last notifications are searched for the sentence of an open alert. */
const maxMessages = 500;

/**
 * Returns what needs attention, the most dangerous first. An instant in the past has no alerts and no feeds. `positions` and `balances`
 * are rows of these tables.
 */
export function attentionIn(
  view: View,
  {
    positions,
    margins,
    balances,
  }: { positions: readonly HistoryRow[]; margins: readonly MarginUse[]; balances: readonly HistoryRow[] },
): Attention[] {
  const alerts = openAlerts(view);
  const isAlerted = (kind: string, account: unknown, subject: string) =>
    alerts.some(({ alert }) => alert.kind === kind && alert.account === account && alert.subject === subject);
  const near = positions.flatMap((position): Attention[] => {
    const distance = decimalIn(position, "liquidation_distance");
    const { account, product_type, symbol, margin_coin, hold_side, margin_mode } = position;
    const subject = JSON.stringify([product_type, symbol, margin_coin, hold_side, margin_mode]);
    if (distance === null || compare(distance, limits.distance) >= 0) return [];
    if (isAlerted("liquidation-distance", account, subject)) return [];
    return [{ kind: "liquidation", account: String(account), position, distance }];
  });
  const high = margins.flatMap((use): Attention[] => {
    const { account, wallet, coin, ratio } = use;
    const subject = wallet === "unified" ? wallet : JSON.stringify([wallet, coin]);
    if (ratio === null || compare(ratio, limits.marginRatio) < 0) return [];
    return isAlerted("margin-ratio", account, subject) ? [] : [{ kind: "margin", account, use, ratio }];
  });
  return [...alerts, ...near, ...high, ...staleFeeds(view, alerts), ...unpriced(balances)];
}

type AlertAttention = Extract<Attention, { kind: "alert" }>;

function openAlerts({ history, account, isNow }: View): AlertAttention[] {
  const open = isNow ? history.openAlerts().filter((one) => account === null || one.account === account) : [];
  const messages = open.length > 0 ? history.lastMessages(maxMessages) : [];
  return open.map((alert) => {
    const message = messages.find((one) => one.alert === alert.name && one.state === "fired");
    return {
      kind: "alert",
      account: alert.account,
      alert,
      sentence: message?.sentence.replace(/^Alert: /, "") ?? null,
    };
  });
}

/** Returns the feeds that are stale, without those that have an open alert. */
function staleFeeds({ history, account, at, isNow }: View, alerts: readonly AlertAttention[]): Attention[] {
  const stale = (isNow ? history.freshness(at) : []).filter(({ account: own, dataset, fresh, offered }) => {
    const isSelected = account === null || own === account || own === publicAccount;
    const isNamed = alerts.some(
      ({ alert }) => alert.kind === "stale" && alert.account === own && alert.subject === dataset,
    );
    return isSelected && offered && !fresh && !isNamed;
  });
  if (stale.length === 0) return [];
  const accounts = [...new Set(stale.map((one) => one.account))];
  return [{ kind: "stale", accounts, datasets: stale.map(({ dataset }) => dataset) }];
}

/** Returns the coins that are held and have no price, by account. */
function unpriced(balances: readonly HistoryRow[]): Attention[] {
  const coins = new Map<string, Set<string>>();
  for (const { account, coin, wallet, total, usdt_value: value } of balances) {
    const isHeld = typeof coin === "string" && typeof total === "string" && !isZero(total);
    if (!isHeld || value !== null || !holdsMoney(String(wallet) as Scope)) continue;
    coins.set(String(account), (coins.get(String(account)) ?? new Set()).add(coin));
  }
  return [...coins].map(([account, names]) => ({ kind: "price", account, coins: [...names] }));
}

/** Returns the key columns of a position. */
export const keyOf = (position: HistoryRow): Record<string, unknown> =>
  Object.fromEntries(positionKey.map((name) => [name, position[name]]));
