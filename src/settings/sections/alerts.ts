/** The settings of the alerts: their limits, and the webhook they are sent to. */
import type { Secret } from "../../core/domain.ts";
import { choice, flag, integer, secretUrl, share } from "../parsers.ts";
import { type SettingsReader, section, type ValuesOf } from "../setting.ts";

export const webhookFormats = ["json", "slack", "discord", "telegram"] as const;
export type WebhookFormat = (typeof webhookFormats)[number];

export interface Webhook {
  /** A secret: anyone who knows it can post there. */
  url: Secret;
  format: WebhookFormat;
  /** The chat to post to, for Telegram; null for other formats. */
  chat: string | null;
}

export const webhook = section({
  title: "Alerts: delivery",
  settings: {
    url: {
      name: "ALERT_WEBHOOK_URL",
      default: null,
      parse: secretUrl,
      secret: "always",
      description:
        "The https address that alerts are sent to, in addition to the log. A secret: anyone who knows it can post there. `bitget-collector alerts test` tests it.",
    },
    format: {
      name: "ALERT_WEBHOOK_FORMAT",
      default: "json",
      parse: choice(...webhookFormats),
      description: "The format: json, slack, discord or telegram (https://api.telegram.org/botTOKEN/sendMessage).",
    },
    chat: {
      name: "ALERT_TELEGRAM_CHAT",
      default: "",
      parse: (text) => text,
      description: "For telegram: the number of the chat to post to, or @ and the name of a channel.",
    },
  },
});

export const limits = section({
  title: "Alerts: limits",
  note: "Limits are shares such as 10%; empty switches an alert off.",
  settings: {
    liquidationDistance: {
      name: "ALERT_LIQUIDATION_DISTANCE",
      default: null,
      parse: share,
      description: "Alert when the liquidation price of a position is closer to the mark price than this.",
    },
    marginRatio: {
      name: "ALERT_MARGIN_RATIO",
      default: null,
      parse: share,
      description: "Alert when a margin ratio is above this; a position is liquidated at 100%.",
    },
    drawdown: {
      name: "ALERT_DRAWDOWN",
      default: null,
      parse: share,
      description: "Alert when equity is further below its peak of the last days than this.",
    },
    drawdownHours: {
      name: "ALERT_DRAWDOWN_DAYS",
      default: "7",
      parse: (text, report) => 24 * integer("days", 1, 90)(text, report),
      description: "How many days a peak of equity counts, from 1 to 90.",
    },
    stale: {
      name: "ALERT_STALE",
      default: "true",
      parse: flag,
      description: "Whether to alert when a dataset has had no complete run for two periods.",
    },
    keyRefused: {
      name: "ALERT_KEY_REFUSED",
      default: "true",
      parse: flag,
      description: "Whether to alert when the exchange refuses a key.",
    },
    ledgerBreak: {
      name: "ALERT_LEDGER_BREAK",
      default: "true",
      parse: flag,
      description: "Whether to alert when the exchange's ledger does not explain a balance. Needs a history in a file.",
    },
  },
});

/** The settings of the alerts. A rule that is null or false is switched off; shares are exact ("10%" is 0.1). */
export interface AlertSettings extends ValuesOf<typeof limits> {
  /** Null: alerts are only written to the log. */
  webhook: Webhook | null;
}

/** Reads the settings of the alerts; `hasWebhook` is false for commands that send nothing. */
export const readAlerts = (reader: SettingsReader, hasWebhook: boolean): AlertSettings => ({
  webhook: readWebhook(reader, hasWebhook),
  ...reader.values(limits),
});

function readWebhook(reader: SettingsReader, hasWebhook: boolean): Webhook | null {
  const { settings } = webhook;
  const url = hasWebhook ? reader.value(settings.url) : null;
  const format = reader.value(settings.format);
  if (url === null) return null;
  if (format !== "telegram") return { url, format, chat: null };
  const chat = reader.value(settings.chat);
  if (!/^(-?\d{1,20}|@\w{1,64})$/.test(chat))
    reader.report(settings.chat.name, "must be the number of a chat, or @ and the name of a channel");
  return { url, format, chat };
}
