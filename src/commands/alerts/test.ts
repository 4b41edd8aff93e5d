import { bodyOf } from "../../alerts/delivery/formats.ts";
import { post, problemOf } from "../../alerts/delivery/post.ts";
import { ConfigError } from "../../core/errors.ts";
import { loadConfig } from "../../settings/config.ts";
import type { Command } from "../command.ts";

export const alertsTest: Command = {
  example: "alerts test",
  async run({ env, out }) {
    const { alerts, proxy } = loadConfig(env, { credentials: false, webhook: true });
    const { webhook } = alerts;
    if (!webhook) throw new ConfigError(["ALERT_WEBHOOK_URL is missing. Without it alerts are told in the log alone."]);
    const now = Date.now();
    const body = bodyOf(webhook, messageAt(now), now);
    out(`sending to ${new URL(webhook.url.reveal()).hostname} as ${webhook.format}:`);
    out(body);
    const problem = await post(webhook.url, body, AbortSignal.timeout(15_000), { proxy }).then(
      (answered) => {
        const said = answered.text === "" ? "" : `: ${answered.text}`;
        return problemOf(answered, webhook) ?? void out(`taken: HTTP ${answered.status}${said}`);
      },
      (error: unknown) => `cannot be reached: ${(error as Error).message}`,
    );
    if (problem) out(`not taken: the webhook ${problem}`);
    return problem ? 1 : 0;
  },
};

const messageAt = (at: number) =>
  ({
    id: 0,
    alert: `test-${at}`,
    kind: "test",
    account: "main",
    what: "nothing",
    state: "fired",
    at,
    value: null,
    threshold: null,
    sentence: "Alert: this is a test of bitget-collector; nothing is wrong.",
    delivery: "pending",
    attempts: 0,
    nextAt: at,
    problem: null,
  }) as const;
