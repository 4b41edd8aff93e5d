/** One POST to the receiver of alerts. No redirect is followed, nothing waits for ever, and what goes wrong is said without the address. */
import type { Secret } from "../../core/domain.ts";
import { escapeControlChars, redactor, secretsOfUrl } from "../../core/text.ts";
import { routeTo } from "../../network/outgoing.ts";
import { noProxy, type ProxySettings } from "../../network/proxy.ts";
import { failureOf, send } from "../../network/request.ts";
import type { Webhook } from "../../settings/sections/alerts.ts";

export interface WebhookResponse {
  status: number;
  /** How long to wait before the next one, where the receiver says so. Milliseconds. */
  retryAfterMs: number | null;
  /** The beginning of what it said, made safe to show. */
  text: string;
}

/** Of an answer; the rest is not read. Bytes. */
const maxBodyBytes = 2000;

/** For the whole of it. Milliseconds. */
const defaultTimeoutMs = 10_000;

/** @throws Error in words for the person, where there was no answer; the signal's reason where that is aborted */
export async function post(
  url: Secret,
  body: string,
  signal: AbortSignal,
  { patience = defaultTimeoutMs, proxy = noProxy }: { patience?: number; proxy?: ProxySettings } = {},
): Promise<WebhookResponse> {
  const { hostname } = new URL(url.reveal());
  const redact = redactor(secretsOfUrl(url));
  const route = routeTo(url.reveal(), proxy);
  try {
    const reply = await send(url.reveal(), route, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", "user-agent": "bitget-collector" },
      timeouts: { request: patience },
      signal,
      maxBytes: maxBodyBytes,
      // Whether it was taken the status says; what is said beside it may end anywhere, in a token too.
      ignoreDamage: true,
    });
    if (!reply) throw new Error(`${hostname} ended the connection without an answer`);
    const said = reply.body.toString("utf8");
    const retryAfterMs = waitOf(reply.headers["retry-after"]) ?? waitOf(waitIn(said));
    return { status: reply.status, retryAfterMs, text: escapeControlChars(redact(said)).slice(0, 200) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof Error && "code" in error)) throw error;
    const { kind, problem } = failureOf(error, hostname, route, "ALERT_WEBHOOK_URL");
    throw new Error(
      kind === "timeout" ? `${hostname} did not answer within ${patience / 1000} s${route.description}` : problem,
    );
  } finally {
    route.close();
  }
}

const waitOf = (header: string | undefined): number | null =>
  header !== undefined && /^\d{1,6}(\.\d+)?$/.test(header) ? Math.ceil(Number(header) * 1000) : null;

/** Telegram and Discord name the seconds in the body. */
function waitIn(body: string): string | undefined {
  try {
    const said = JSON.parse(body) as { retry_after?: unknown; parameters?: { retry_after?: unknown } } | null;
    const seconds = said?.parameters?.retry_after ?? said?.retry_after;
    return typeof seconds === "number" ? String(seconds) : undefined;
  } catch {
    return undefined;
  }
}

/** What an answer means, as the end of "the webhook …"; null where the message has arrived. */
export function problemOf(
  { status, text }: WebhookResponse,
  { format, url }: Pick<Webhook, "format" | "url">,
): string | null {
  if (status >= 200 && status < 300) return null;
  const meaning = format === "telegram" ? telegramMeaning(status, text, url) : meaningOf(status);
  if (meaning === null) return `answered HTTP ${status}${text === "" ? "" : `: ${text}`}`;
  return `${meaning[0]} (HTTP ${status})${meaning[1] ?? ""}${text === "" || isRedirect(status) ? "" : `: ${text}`}`;
}

/** True where a message may still be taken once a person has acted, although the receiver refuses its form. */
export const isRecoverable = ({ format }: Pick<Webhook, "format">, { text }: Pick<WebhookResponse, "text">): boolean =>
  format === "telegram" && chatIsWrong.test(text);

const chatIsWrong = /chat not found|upgraded to a supergroup/i;

const isRedirect = (status: number): boolean => status >= 300 && status < 400;

/** Before and behind the status. */
type Meaning = readonly [string, string?] | null;

function meaningOf(status: number): Meaning {
  if (isRedirect(status)) return ["sends us elsewhere", ", which is not followed; correct its address"];
  if (status === 401) return ["does not accept the token in its address"];
  if (status === 403) return ["does not let us write there: its token, or a rule of the receiver, forbids it"];
  if (status === 404 || status === 410) return ["is not there any more"];
  if (status === 429) return ["wants fewer messages"];
  return null;
}

/** Source: https://core.telegram.org/bots/api#making-requests; what it says of chats was seen in its answers. */
function telegramMeaning(status: number, text: string, url: Secret): Meaning {
  if (status === 404 && !/\/sendMessage\/?$/i.test(new URL(url.reveal()).pathname))
    return ["has no such method", ": its address must end in /sendMessage"];
  if (status === 401 || status === 404) return ["does not know the bot: correct the token in its address"];
  if (status === 403)
    return ["does not let the bot write to the chat", ": start the bot there and do not block it, or make it a member"];
  if (status === 400 && chatIsWrong.test(text))
    return ["does not know the chat: correct ALERT_TELEGRAM_CHAT", " (the bot must have been written to there once)"];
  return meaningOf(status);
}
