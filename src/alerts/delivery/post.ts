/** Sends one POST request to the receiver of alerts, without following redirects, with a timeout. Errors do not contain the address. */
import type { Secret } from "../../core/domain.ts";
import { escapeControlChars, redactor, secretsOfUrl } from "../../core/text.ts";
import { routeTo } from "../../network/outgoing.ts";
import { noProxy, type ProxySettings } from "../../network/proxy.ts";
import { failureOf, send } from "../../network/request.ts";
import type { Webhook } from "../../settings/sections/alerts.ts";

/** The response of a webhook. */
export interface WebhookResponse {
  status: number;
  /** The time to wait before the next request, in milliseconds; null if the receiver does not give one. */
  retryAfterMs: number | null;
  /** The beginning of the body, with secrets removed and control characters escaped. */
  text: string;
}

/** The rest of a longer response is not read. Bytes. */
const maxBodyBytes = 2000;

/** Timeout of the whole request. Milliseconds. */
const defaultTimeoutMs = 10_000;

/** Posts a body and returns the response. @throws Error for display if there was no response; the reason of an aborted signal */
export async function post(
  url: Secret,
  body: string,
  signal: AbortSignal,
  { timeoutMs = defaultTimeoutMs, proxy = noProxy }: { timeoutMs?: number; proxy?: ProxySettings } = {},
): Promise<WebhookResponse> {
  const { hostname } = new URL(url.reveal());
  const redact = redactor(secretsOfUrl(url));
  const route = routeTo(url.reveal(), proxy);
  try {
    const reply = await send(url.reveal(), route, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", "user-agent": "bitget-collector" },
      timeouts: { request: timeoutMs },
      signal,
      maxBytes: maxBodyBytes,
      // The status alone shows whether the message was accepted; the body may be truncated.
      ignoreDamage: true,
    });
    if (!reply) throw new Error(`${hostname} closed the connection without a response`);
    const text = reply.body.toString("utf8");
    const retryAfterMs = waitOf(reply.headers["retry-after"]) ?? waitOf(waitIn(text));
    return { status: reply.status, retryAfterMs, text: escapeControlChars(redact(text)).slice(0, 200) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof Error && "code" in error)) throw error;
    const { kind, problem } = failureOf(error, hostname, route, "ALERT_WEBHOOK_URL");
    throw new Error(
      kind === "timeout" ? `${hostname} did not respond within ${timeoutMs / 1000} s${route.description}` : problem,
    );
  } finally {
    route.close();
  }
}

const waitOf = (header: string | undefined): number | null =>
  header !== undefined && /^\d{1,6}(\.\d+)?$/.test(header) ? Math.ceil(Number(header) * 1000) : null;

/** Returns the seconds to wait from the body, where Telegram and Discord put them; undefined without any. */
function waitIn(body: string): string | undefined {
  try {
    const response = JSON.parse(body) as { retry_after?: unknown; parameters?: { retry_after?: unknown } } | null;
    const seconds = response?.parameters?.retry_after ?? response?.retry_after;
    return typeof seconds === "number" ? String(seconds) : undefined;
  } catch {
    return undefined;
  }
}

/** Explains a response as the end of "the webhook …". Returns null if the message was accepted. */
export function problemOf(
  { status, text }: WebhookResponse,
  { format, url }: Pick<Webhook, "format" | "url">,
): string | null {
  if (status >= 200 && status < 300) return null;
  const meaning = format === "telegram" ? telegramMeaning(status, text, url) : meaningOf(status);
  if (meaning === null) return `responded with HTTP ${status}${text === "" ? "" : `: ${text}`}`;
  return `${meaning[0]} (HTTP ${status})${meaning[1] ?? ""}${text === "" || isRedirect(status) ? "" : `: ${text}`}`;
}

/** Returns true if the receiver may accept a rejected message later, once the user has corrected something. */
export const isRecoverable = ({ format }: Pick<Webhook, "format">, { text }: Pick<WebhookResponse, "text">): boolean =>
  format === "telegram" && chatIsWrong.test(text);

const chatIsWrong = /chat not found|upgraded to a supergroup/i;

const isRedirect = (status: number): boolean => status >= 300 && status < 400;

/** The texts before and after the status; null if the status has no explanation. */
type Meaning = readonly [string, string?] | null;

function meaningOf(status: number): Meaning {
  if (isRedirect(status)) return ["redirects", ", which is not followed: correct its address"];
  if (status === 401) return ["rejects the token in its address"];
  if (status === 403) return ["denies access: its token, or a rule of the receiver, forbids it"];
  if (status === 404 || status === 410) return ["no longer exists"];
  if (status === 429) return ["limits the rate of messages"];
  return null;
}

/** Source: https://core.telegram.org/bots/api#making-requests; the texts about chats are from observed responses. */
function telegramMeaning(status: number, text: string, url: Secret): Meaning {
  if (status === 404 && !/\/sendMessage\/?$/i.test(new URL(url.reveal()).pathname))
    return ["has no such method", ": its address must end in /sendMessage"];
  if (status === 401 || status === 404) return ["does not know the bot: correct the token in its address"];
  if (status === 403)
    return ["does not let the bot write to the chat", ": start the bot there and do not block it, or make it a member"];
  if (status === 400 && chatIsWrong.test(text))
    return ["does not know the chat: correct ALERT_TELEGRAM_CHAT", " (someone must write to the bot there first)"];
  return meaningOf(status);
}
