/** Checks how problems are reported to people: the webhook of the alerts, and the heartbeat. */
import { connect } from "node:net";
import type { Secret } from "../../core/domain.ts";
import { type ProxySettings, whyDirect } from "../../network/proxy.ts";
import type { Config } from "../../settings/config.ts";
import type { Message } from "../../store/alerts/alert-store.ts";
import { failed, messageOf, ok, type Result, warning } from "./finding.ts";

const timeLimitMs = 5000;

/** Checks that the host of the webhook can be reached, and that the last notification was delivered; null if there was none. */
export async function checkWebhook({ alerts, proxy }: Config, last: Message | null): Promise<Result> {
  if (alerts.webhook === null) return warning("alerts are only written to the log", "set ALERT_WEBHOOK_URL");
  const problem = await connectProblem(alerts.webhook.url, proxy);
  if (problem !== null) return failed(problem, "check ALERT_WEBHOOK_URL and this machine's network");
  const host = hostOf(alerts.webhook.url);
  if (last !== null && last.problem !== null && last.delivery !== "delivered")
    return failed(`${host} did not accept the last alert: ${last.problem}`, "try `bitget-collector alerts test`");
  return ok(`${host} can be reached; \`alerts test\` sends a test`);
}

/** Checks that the host of the heartbeat can be reached. Requests nothing, because that would be a sign of life. */
export async function checkHeartbeat({ heartbeatUrl, proxy }: Config): Promise<Result> {
  if (heartbeatUrl === null)
    return warning("a stop of this machine is not noticed", "set HEARTBEAT_URL to the address of a dead man's switch");
  const problem = await connectProblem(heartbeatUrl, proxy);
  if (problem !== null) return failed(problem, "check HEARTBEAT_URL and this machine's network");
  return ok(`${hostOf(heartbeatUrl)} can be reached`);
}

const hostOf = (url: Secret): string => new URL(url.reveal()).hostname;

/** Resolves with why no connection to a host can be opened; null if it can, or if a proxy is in between, which `alerts test` tries. */
async function connectProblem(url: Secret, proxy: ProxySettings): Promise<string | null> {
  const { hostname, port, protocol } = new URL(url.reveal());
  if (proxy.proxy && whyDirect(new URL(url.reveal()), proxy) === null) return null;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = connect({
    host,
    port: Number.parseInt(port || (protocol === "https:" ? "443" : "80"), 10),
    timeout: timeLimitMs,
  });
  try {
    await new Promise<void>((done, fail) => {
      socket.once("connect", done);
      socket.once("timeout", () => fail(new Error(`no connection within ${timeLimitMs / 1000} s`)));
      socket.once("error", fail);
    });
    return null;
  } catch (error) {
    return `${hostname} cannot be reached (${(error as NodeJS.ErrnoException).code ?? messageOf(error)})`;
  } finally {
    socket.destroy();
  }
}
