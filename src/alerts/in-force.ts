/** Finds the settings by which alerts are evaluated, for processes that do not evaluate them, and puts the rules into words. */
import { type PublishedSettings, publishedIn, type ShownSetting } from "../settings/sections/shown.ts";
import type { HistoryReader } from "../store/history.ts";

/** Settings in force. */
export interface InForce extends PublishedSettings {
  /** The processes that record into one PostgreSQL with these settings; none for the only process that records into a file. */
  workers: readonly string[];
}

/**
 * Returns the settings of the processes that evaluate alerts, those with the same ones together; of live processes if there are any.
 * Empty where none has stored them, as a version before this could not.
 */
export function settingsInForce(history: Pick<HistoryReader, "publishedSettings" | "workers">, now: number): InForce[] {
  const all = history.publishedSettings().flatMap(({ worker, settings }) => {
    const known = publishedIn(settings);
    return known ? [{ worker, known }] : [];
  });
  const gone = new Set(history.workers(now).flatMap(({ name, state }) => (state === "gone" ? name : [])));
  const live = all.filter(({ worker }) => !gone.has(worker));
  const found = new Map<string, InForce>();
  for (const { worker, known } of live.length > 0 ? live : all) {
    const key = JSON.stringify(known);
    const before = found.get(key)?.workers ?? [];
    found.set(key, { ...known, workers: worker === "" ? before : [...before, worker] });
  }
  return [...found.values()];
}

/** Says that settings are those of this process, because those of the collector are not known. */
export const ownSettings =
  "These are the settings of this process; those of the collector are not known and may differ.";

/** The rules, with the setting that has the limit of each, or switches it. */
const rules = [
  ["ALERT_LIQUIDATION_DISTANCE", "distance to liquidation below"],
  ["ALERT_MARGIN_RATIO", "margin ratio above"],
  ["ALERT_DRAWDOWN", "drawdown above"],
  ["ALERT_STALE", "stale feeds"],
  ["ALERT_KEY_REFUSED", "refused keys"],
  ["ALERT_LEDGER_BREAK", "unexplained balances"],
] as const;

/** Returns which rules are on, with their limits, and which are off. */
export function rulesText(settings: readonly ShownSetting[]): string {
  const setting = (name: string) => settings.find((one) => one.name === name)?.value;
  const days = setting("ALERT_DRAWDOWN_DAYS");
  const all = rules.map(([name, words]) => {
    const value = setting(name) ?? "off";
    const limit = value === "on" || value === "off" ? "" : ` ${value}`;
    const span = name === "ALERT_DRAWDOWN" && limit ? ` in ${days === "1" ? "a day" : `${days} days`}` : "";
    return { isOn: value !== "off", text: `${words}${limit}${span}` };
  });
  const list = (isOn: boolean) =>
    all.filter((one) => one.isOn === isOn).map(({ text }) => text.replace(/ (below|above)$/, ""));
  const off = list(false);
  return `Rules on: ${list(true).join("; ") || "none"}.${off.length > 0 ? ` Off: ${off.join("; ")}.` : ""}`;
}

/** Returns where notifications are sent to. */
export const deliveryText = (settings: readonly ShownSetting[]): string =>
  `Delivery: ${settings.find(({ name }) => name === "ALERT_WEBHOOK_URL")?.value === "not set" ? "to the log only" : "to the webhook"}.`;
