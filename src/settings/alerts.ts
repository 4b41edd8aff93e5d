/** The settings of the alerts. Shares are exact: "10%" is the digits 0.1. */
import { multiply } from "../core/decimal.ts";
import type { Digits, Secret } from "../core/domain.ts";

export const webhookFormats = ["json", "slack", "discord", "telegram"] as const;
export type WebhookFormat = (typeof webhookFormats)[number];

export interface Webhook {
  /** Whoever has it can write there. */
  url: Secret;
  format: WebhookFormat;
  /** Of Telegram alone: the chat to write to. */
  chat: string | null;
}

/** Null: that rule is switched off. */
export interface AlertSettings {
  /** Null: alerts are told in the log alone. */
  webhook: Webhook | null;
  liquidationDistance: Digits | null;
  marginRatio: Digits | null;
  drawdown: Digits | null;
  /** A peak counts for so many hours. */
  drawdownHours: number;
  stale: boolean;
  keyRefused: boolean;
}

/** How a setting is read, and what is wrong with one reported; `secretUrl` is null where it is not set. */
export interface Reader {
  read(setting: string): string;
  report(setting: string, problem: string): void;
  choice<T extends string>(setting: string, all: readonly T[], fallback: T): T;
  flag(setting: string, fallback: boolean): boolean;
  whole(setting: string, fallback: number, unit: string, least: number, most: number): number;
  secretUrl(setting: string): Secret | null;
}

export function readAlertSettings(reader: Reader): AlertSettings {
  return {
    webhook: readWebhook(reader),
    liquidationDistance: share(reader, "ALERT_LIQUIDATION_DISTANCE"),
    marginRatio: share(reader, "ALERT_MARGIN_RATIO"),
    drawdown: share(reader, "ALERT_DRAWDOWN"),
    drawdownHours: 24 * reader.whole("ALERT_DRAWDOWN_DAYS", 7, "days", 1, 90),
    stale: reader.flag("ALERT_STALE", true),
    keyRefused: reader.flag("ALERT_KEY_REFUSED", true),
  };
}

function readWebhook({ read, report, choice, secretUrl }: Reader): Webhook | null {
  const url = secretUrl("ALERT_WEBHOOK_URL");
  const format = choice("ALERT_WEBHOOK_FORMAT", webhookFormats, "json");
  const chat = read("ALERT_TELEGRAM_CHAT");
  if (url === null) return null;
  if (format === "telegram" && !/^(-?\d{1,20}|@\w{1,64})$/.test(chat))
    report("ALERT_TELEGRAM_CHAT", "must be the number of a chat, or @ and the name of a channel");
  return { url, format, chat: format === "telegram" ? chat : null };
}

function share({ read, report }: Reader, setting: string): Digits | null {
  const text = read(setting);
  if (text === "") return null;
  const [, digits = ""] = /^(\d{1,3}(?:\.\d{1,9})?) ?%$/.exec(text) ?? [];
  if (digits === "" || !(Number(digits) > 0 && Number(digits) <= 100))
    report(setting, `is "${text.slice(0, 20)}"; it must be a share above 0 % and up to 100 %, as in 10%`);
  return multiply(digits || "0", "0.01");
}
