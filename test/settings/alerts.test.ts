import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { redactor } from "../../src/core/text.ts";
import { loadConfig, secretsOf } from "../../src/settings/config.ts";
import { temporaryFolder } from "../support/files.ts";

const settings = (env: Record<string, string>) => loadConfig(env, { credentials: false, webhook: true }).alerts;

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    settings(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const hook = "https://hooks.slack.com/services/T0000000/B0000000/abcdefghijklmnopqrstuvwx";

it("by default, alerts cover stale data and refused keys only, and go to the log only", () => {
  expect(settings({})).toEqual({
    webhook: null,
    liquidationDistance: null,
    marginRatio: null,
    drawdown: null,
    drawdownHours: 168,
    stale: true,
    keyRefused: true,
    ledgerBreak: true,
  });
});

it("limits are exact shares", () => {
  const env = { ALERT_LIQUIDATION_DISTANCE: "10%", ALERT_MARGIN_RATIO: "80 %", ALERT_DRAWDOWN: "0.1%" };
  expect(settings({ ...env, ALERT_DRAWDOWN_DAYS: "1" })).toMatchObject({
    liquidationDistance: "0.1",
    marginRatio: "0.8",
    drawdown: "0.001",
    drawdownHours: 24,
  });
});

it.each(["0.1", "0%", "101%", "-5%", "ten", "1e1%", "10,5%"])("a limit of %s is refused", (text) => {
  expect(problemsOf({ ALERT_DRAWDOWN: text })).toEqual([
    `ALERT_DRAWDOWN is "${text}"; it must be a share above 0 % and up to 100 %, as in 10%`,
  ]);
});

it.each(["http://example.com/hook", "ftp://example.com/", "https://user:password@example.com/hook", "no address"])(
  "a webhook at %s is refused, without repeating it",
  (address) => {
    const problems = problemsOf({ ALERT_WEBHOOK_URL: address });
    expect(problems).toEqual([
      "ALERT_WEBHOOK_URL must be an https:// address without user name (http:// only for this machine itself)",
    ]);
  },
);

it("Telegram requires a chat, and an unknown format is refused", () => {
  const env = { ALERT_WEBHOOK_URL: "https://api.telegram.org/bot1:abcdefghijklmnop/sendMessage" };
  expect(problemsOf({ ...env, ALERT_WEBHOOK_FORMAT: "telegram" })).toEqual([
    "ALERT_TELEGRAM_CHAT must be the number of a chat, or @ and the name of a channel",
  ]);
  expect(problemsOf({ ...env, ALERT_WEBHOOK_FORMAT: "irc" })).toEqual([
    'ALERT_WEBHOOK_FORMAT is "irc"; it can be json, slack, discord, telegram',
  ]);
});

it("the webhook address can be read from a file, and no text contains it or a part of it", () => {
  const file = join(temporaryFolder(), "hook");
  writeFileSync(file, `${hook}\n`);
  const config = loadConfig({ ALERT_WEBHOOK_URL_FILE: file }, { credentials: false, webhook: true });
  expect(config.alerts.webhook?.url.reveal()).toBe(hook);
  const redact = redactor(secretsOf(config));
  expect(redact(`${hook} and /services/T0000000/B0000000/abcdefghijklmnopqrstuvwx and abcdefghijklmnopqrstuvwx`)).toBe(
    "[secret] and [secret] and [secret]",
  );
});

it("the token of a Telegram bot is redacted also without the word `bot` before it", () => {
  const env = {
    ALERT_WEBHOOK_URL: "https://api.telegram.org/bot123456:ABC-DEF1234ghIkl/sendMessage",
    ALERT_WEBHOOK_FORMAT: "telegram",
    ALERT_TELEGRAM_CHAT: "@channel",
  };
  expect(
    redactor(secretsOf(loadConfig(env, { credentials: false, webhook: true })))("token 123456:ABC-DEF1234ghIkl"),
  ).toBe("token [secret]");
});
