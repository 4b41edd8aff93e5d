import { bodyOf } from "../../alerts/delivery/formats.ts";
import { post, problemOf } from "../../alerts/delivery/post.ts";
import { ConfigError } from "../../core/errors.ts";
import { loadConfig } from "../../settings/config.ts";
import type { Command } from "../command.ts";

export const alertsTest: Command = {
  examples: ["alerts test", "alerts test && echo delivered", "alerts test > response.txt"],
  onPostgres: "own",
  async run({ env, print }) {
    const { alerts, proxy } = loadConfig(env, { credentials: false, webhook: true });
    const { webhook } = alerts;
    if (!webhook) throw new ConfigError(["ALERT_WEBHOOK_URL is missing; without it alerts are only logged."]);
    const now = Date.now();
    const body = bodyOf(webhook, messageAt(now), now);
    print(`sending to ${new URL(webhook.url.reveal()).hostname} as ${webhook.format}:`);
    print(body);
    const problem = await post(webhook.url, body, AbortSignal.timeout(15_000), { proxy }).then(
      (response) => {
        const text = response.text === "" ? "" : `: ${response.text}`;
        return problemOf(response, webhook) ?? void print(`accepted: HTTP ${response.status}${text}`);
      },
      (error: unknown) => `cannot be reached: ${(error as Error).message}`,
    );
    if (problem) print(`not accepted: the webhook ${problem}`);
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
