import { describe, expect, it } from "vitest";
import { bodyOf } from "../../../src/alerts/delivery/formats.ts";
import type { Message } from "../../../src/store/alerts/alert-store.ts";

const at = Date.parse("2026-11-01T00:00:00Z");

const message: Message = {
  id: 1,
  alert: "0123456789abcdef",
  kind: "liquidation-distance",
  account: "main",
  what: "BTCUSDT long (crossed, USDT, umcbl)",
  state: "fired",
  at,
  value: "0.0487",
  threshold: "0.05",
  sentence: "Alert: main: BTCUSDT long is 4.87 % from its liquidation at 59,000.0 (mark 62,010.1); the limit is 5 %.",
  delivery: "pending",
  attempts: 0,
  nextAt: at,
  problem: null,
};

const hostile: Message = { ...message, sentence: "Alert: <!channel> @everyone *_`~|[a](https://x.y)# & <@1>" };

const parsed = (format: "json" | "slack" | "discord" | "telegram", of = message, now = at + 1500) =>
  JSON.parse(bodyOf({ format, chat: "-100123" }, of, now));

describe("the request body", () => {
  it("as JSON has every part of the alert by itself", () => {
    expect(parsed("json")).toEqual({
      id: "0123456789abcdef-fired",
      alert: "0123456789abcdef",
      state: "fired",
      kind: "liquidation-distance",
      account: "main",
      what: "BTCUSDT long (crossed, USDT, umcbl)",
      limit: "0.05",
      value: "0.0487",
      at: "2026-11-01T00:00:00.000Z",
      age_seconds: 1,
      sentence: message.sentence,
    });
  });

  it("to Slack has no link and no mention", () => {
    expect(parsed("slack", hostile)).toEqual({
      text: "Alert: &lt;!channel&gt; @everyone *_`~|[a](https://x.y)# &amp; &lt;@1&gt;",
      mrkdwn: false,
      unfurl_links: false,
      unfurl_media: false,
    });
  });

  it("to Discord has its markup escaped and mentions no one", () => {
    expect(parsed("discord", hostile)).toEqual({
      content: "Alert\\: \\<!channel\\> \\@everyone \\*\\_\\`\\~\\|\\[a\\]\\(https\\://x.y\\)\\# & \\<\\@1\\>",
      allowed_mentions: { parse: [] },
      flags: 4,
    });
  });

  it("to Telegram goes to its chat as plain text", () => {
    expect(parsed("telegram", hostile)).toEqual({
      chat_id: "-100123",
      text: hostile.sentence,
      link_preview_options: { is_disabled: true },
    });
  });

  it("states its age when it is late", () => {
    const now = at + 3 * 3_600_000;
    expect(parsed("telegram", { ...message, sentence: "Alert." }, now).text).toBe(
      "Alert. (3 h ago, at 2026-11-01 00:00:00 UTC)",
    );
    expect(parsed("json", message, now).age_seconds).toBe(10_800);
  });
});
