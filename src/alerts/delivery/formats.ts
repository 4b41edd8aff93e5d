/**
 * Builds the request body in the format of each receiver. Names of coins come from the exchange: they must not become markup, links or
 * mentions.
 *
 * Sources: https://docs.slack.dev/messaging/formatting-message-text, https://docs.discord.com/developers/resources/webhook,
 * https://core.telegram.org/bots/api#sendmessage
 */

import { durationText } from "../../core/text.ts";
import type { Webhook, WebhookFormat } from "../../settings/sections/alerts.ts";
import type { Message } from "../../store/alerts/alert-store.ts";
import { timeText } from "../messages.ts";

/** A notification sent later than this states its age. Milliseconds. */
const lateAfterMs = 120_000;

/** Every receiver accepts at least this many characters; our sentences are much shorter. */
const maxTextChars = 1900;

/** Returns the body of the request, JSON. `now` is the time of sending, epoch ms. */
export function bodyOf({ format, chat }: Pick<Webhook, "format" | "chat">, message: Message, now: number): string {
  const age = now - message.at;
  const late = age > lateAfterMs ? ` (${durationText(age)} ago, at ${timeText(message.at)})` : "";
  return JSON.stringify(formatters[format](message, (message.sentence + late).slice(0, maxTextChars), { chat, age }));
}

type Formatter = (message: Message, text: string, of: { chat: string | null; age: number }) => unknown;

const formatters: Record<WebhookFormat, Formatter> = {
  json: ({ alert, state, kind, account, what, threshold, value, at }, sentence, { age }) => ({
    id: `${alert}-${state}`,
    alert,
    state,
    kind,
    account,
    what,
    limit: threshold,
    value,
    at: new Date(at).toISOString(),
    age_seconds: Math.max(0, Math.floor(age / 1000)),
    sentence,
  }),
  // Only these three characters can begin a link or a mention; `mrkdwn: false` disables stars and underscores.
  slack: (_message, text) => ({
    text: text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
  }),
  // Flag 4 suppresses previews of links.
  discord: (_message, text) => ({
    content: text.replace(/[\\*_~`|>#[\]()<:@-]/g, "\\$&"),
    allowed_mentions: { parse: [] },
    flags: 4,
  }),
  // Without a `parse_mode` the text is not parsed as markup.
  telegram: (_message, text, { chat }) => ({
    chat_id: chat,
    text,
    link_preview_options: { is_disabled: true },
  }),
};
