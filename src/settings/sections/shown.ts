/**
 * The settings in force, as the page of data health shows them: secrets only as "set". A process that collects stores them with its
 * alerts, so that another one shows those and not its own.
 */
import { z } from "zod";
import type { Config } from "../config.ts";
import type { AlertSettings } from "./alerts.ts";
import { scheduleSetting } from "./collecting.ts";

/** A setting in force. */
export interface ShownSetting {
  name: string;
  value: string;
}

const none = "not set";
const share = (text: string | null): string =>
  text === null ? "off" : `${Math.round(Number.parseFloat(text) * 10_000) / 100} %`;
const set = (secret: unknown): string => (secret ? "set" : none);
const onOff = (isOn: boolean): string => (isOn ? "on" : "off");

/** Returns what decides when to alert. */
function alertSettings({ alerts }: Config): ShownSetting[] {
  const { liquidationDistance, marginRatio, drawdown, drawdownHours, stale, keyRefused, ledgerBreak, webhook } = alerts;
  return [
    { name: "ALERT_LIQUIDATION_DISTANCE", value: share(liquidationDistance) },
    { name: "ALERT_MARGIN_RATIO", value: share(marginRatio) },
    { name: "ALERT_DRAWDOWN", value: share(drawdown) },
    { name: "ALERT_DRAWDOWN_DAYS", value: String(drawdownHours / 24) },
    { name: "ALERT_STALE", value: onOff(stale) },
    { name: "ALERT_KEY_REFUSED", value: onOff(keyRefused) },
    { name: "ALERT_LEDGER_BREAK", value: onOff(ledgerBreak) },
    { name: "ALERT_WEBHOOK_URL", value: webhook ? `set, as ${webhook.format}` : none },
  ];
}

/** Returns the settings in force, by name. */
export const shownSettings = (config: Config): ShownSetting[] => [
  { name: "BITGET_BASE_URL", value: new URL(config.baseUrl).host },
  { name: "BITGET_PRODUCT_TYPES", value: config.productTypes.join(", ") },
  ...Object.entries(config.schedules).map(([dataset, pattern]) => ({
    name: scheduleSetting(dataset as keyof Config["schedules"]),
    value: pattern?.text ?? "off",
  })),
  { name: "RUN_DEADLINE_SECONDS", value: String(config.runDeadlineSeconds) },
  { name: "KEEP_RAW_DAYS", value: String(config.keepRawDays) },
  { name: "SQL_TIMEOUT_SECONDS", value: String(config.sqlTimeoutSeconds) },
  { name: "SCHEDULE_REPORTS", value: config.reportsSchedule?.text ?? "off" },
  { name: "HEARTBEAT_URL", value: set(config.heartbeatUrl) },
  { name: "HTTP_TOKEN", value: set(config.http?.token) },
  { name: "HTTPS_PROXY", value: set(config.proxy.proxy) },
  ...alertSettings(config),
];

/** What a process stores of its settings. */
export interface PublishedSettings {
  shown: readonly ShownSetting[];
  /** The limits, exact. */
  alerts: Omit<AlertSettings, "webhook">;
}

/** Returns what a process stores of its settings: no secret. */
export function publishedSettings(config: Config): PublishedSettings {
  const { webhook, ...alerts } = config.alerts;
  return { shown: shownSettings(config), alerts };
}

const limit = z.string().nullable();
const published = z.object({
  shown: z.array(z.object({ name: z.string(), value: z.string() })),
  alerts: z.object({
    ...{ liquidationDistance: limit, marginRatio: limit, drawdown: limit, drawdownHours: z.number() },
    ...{ stale: z.boolean(), keyRefused: z.boolean(), ledgerBreak: z.boolean() },
  }),
});

/** Returns settings that were read; null if another version stored them in another form. */
export const publishedIn = (stored: unknown): PublishedSettings | null => published.safeParse(stored).data ?? null;
