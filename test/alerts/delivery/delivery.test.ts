import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { Delivery } from "../../../src/alerts/delivery/delivery.ts";
import { post, problemOf } from "../../../src/alerts/delivery/post.ts";
import { Secret } from "../../../src/core/domain.ts";
import { createLog } from "../../../src/core/log.ts";
import { secretsOfUrl } from "../../../src/core/text.ts";
import type { WebhookFormat } from "../../../src/settings/sections/alerts.ts";
import { noChanges } from "../../../src/store/alerts/alert-store.ts";
import { query, start } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { until } from "../../support/wait.ts";
import { SettableClock } from "../../support/world.ts";
import { type Receiver, startReceiver, taken, token } from "../receiver.ts";

const minute = 60_000;
const hour = 60 * minute;

/** Creates an outbox on a clock that the test sets; `sent` and `state` show the outcome. */
async function begin(receiver: Receiver, path = temporaryPath(), format: WebhookFormat = "json") {
  const store = await open(path);
  const clock = new SettableClock(start);
  const url = new Secret(receiver.url);
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    format: "json",
    secrets: secretsOfUrl(url),
    write: (line) => lines.push(line),
  });
  const make = () =>
    new Delivery({ store, webhook: { url, format, chat: format === "telegram" ? "42" : null }, clock, log });
  let delivery = make();
  return {
    store,
    path,
    clock,
    lines,
    /** Puts alerts of these names into the outbox. */
    say: (...names: string[]) =>
      store.alerts.record({
        ...noChanges,
        messages: names.map((name) => {
          const of = { alert: name, kind: "drawdown", account: "main", what: name, state: "fired" } as const;
          const figures = { value: "0.2", threshold: "0.1", sentence: `Alert: ${name}.` };
          return { ...of, ...figures, at: clock.now(), delivery: "pending" } as const;
        }),
      }),
    async tick(ms = 0) {
      clock.advanceTo(clock.now() + ms);
      delivery.tick();
      await delivery.idle();
    },
    async restart() {
      await delivery.stop();
      delivery = make();
    },
    stop: () => delivery.stop(),
    start: () => delivery.tick(),
    sent: () => receiver.received.map(({ what, text }) => what ?? text),
    state: () =>
      query(path, "select delivery, attempts from alert_message order by id").map((one) => Object.values(one)),
  };
}

const responding = (status: number, headers: Record<string, string> = {}, body = "no") => {
  return (response: Parameters<Receiver["respond"]>[0]) => void response.writeHead(status, headers).end(body);
};

describe("the outbox", () => {
  it("is sent in order, each once", async () => {
    const receiver = await startReceiver();
    const { say, tick, sent, state } = await begin(receiver);
    await say("a", "b", "c");
    await tick();
    await tick();
    expect(sent()).toEqual(["a", "b", "c"]);
    expect(state()).toEqual([
      ["delivered", 1],
      ["delivered", 1],
      ["delivered", 1],
    ]);
  });

  it("waits for a webhook that fails, longer each time, also over a restart, and keeps its order", async () => {
    const receiver = await startReceiver();
    const { say, tick, sent, state, restart } = await begin(receiver);
    receiver.respond = responding(500);
    await say("a", "b");
    await tick();
    await tick(500);
    expect(sent()).toEqual(["a"]);
    await tick(1000);
    await restart();
    await tick(1000);
    expect(sent()).toEqual(["a", "a"]);
    receiver.respond = taken;
    await tick(1500);
    expect(sent()).toEqual(["a", "a", "a", "b"]);
    expect(state()).toEqual([
      ["delivered", 3],
      ["delivered", 1],
    ]);
  });

  it("waits for as long as the webhook asks, within five minutes", async () => {
    const receiver = await startReceiver();
    const { say, tick, sent } = await begin(receiver);
    receiver.respond = responding(429, { "retry-after": "60" });
    await say("a");
    await tick();
    await tick(50_000);
    expect(sent()).toEqual(["a"]);
    receiver.respond = responding(429, { "retry-after": "86400" });
    await tick(11_000);
    await tick(4 * minute);
    expect(sent()).toEqual(["a", "a"]);
    await tick(2 * minute);
    expect(sent()).toEqual(["a", "a", "a"]);
  });

  it.each([
    ["telegram", { ok: false, error_code: 429, parameters: { retry_after: 60 } }],
    ["discord", { message: "You are being rate limited.", retry_after: 59.5, global: false }],
  ] as const)("waits for as long as %s asks in its response", async (format, body) => {
    const receiver = await startReceiver();
    const { say, tick, state } = await begin(receiver, temporaryPath(), format);
    receiver.respond = responding(429, {}, JSON.stringify(body));
    await say("a");
    await tick();
    receiver.respond = taken;
    await tick(50_000);
    expect(state()).toEqual([["pending", 1]]);
    await tick(11_000);
    expect(state()).toEqual([["delivered", 2]]);
  });

  it("keeps a message for an unknown chat of Telegram until its setting is corrected", async () => {
    const receiver = await startReceiver();
    const { say, tick, state } = await begin(receiver, temporaryPath(), "telegram");
    const body = { ok: false, error_code: 400, description: "Bad Request: chat not found" };
    receiver.respond = responding(400, {}, JSON.stringify(body));
    await say("a");
    for (let n = 0; n < 7; n++) await tick(6 * minute);
    expect(state()).toEqual([["pending", 7]]);
    receiver.respond = taken;
    await tick(6 * minute);
    expect(state()).toEqual([["delivered", 8]]);
  });

  it("retries while a webhook is down, and logs it without its address", async () => {
    const receiver = await startReceiver();
    const { say, tick, path, lines } = await begin(receiver);
    await receiver.close();
    await say("a");
    await tick();
    expect(lines.join()).toContain(
      "alert not delivered: the webhook cannot be reached: no response from 127.0.0.1 (ECONNREFUSED)",
    );
    expect(lines.join() + JSON.stringify(query(path, "select * from alert_message"))).not.toContain(token);
  });

  it("follows no redirect", async () => {
    const elsewhere = await startReceiver();
    const receiver = await startReceiver();
    const { say, tick, state, path } = await begin(receiver);
    receiver.respond = responding(307, { location: elsewhere.url });
    await say("a");
    await tick();
    expect(elsewhere.received).toEqual([]);
    expect(state()).toEqual([["pending", 1]]);
    expect(query(path, "select problem from alert_message")).toEqual([
      { problem: "redirects (HTTP 307), which is not followed: correct its address" },
    ]);
  });

  it("drops a message whose form is rejected five times, so that it does not hold up the others", async () => {
    const receiver = await startReceiver();
    const { say, tick, sent, state } = await begin(receiver);
    receiver.respond = (response) =>
      receiver.received.at(-1)?.what === "a" ? responding(400)(response) : taken(response);
    await say("a", "b");
    for (let n = 0; n < 5; n++) await tick(minute);
    expect(sent()).toEqual(["a", "a", "a", "a", "a", "b"]);
    expect(state()).toEqual([
      ["given up", 5],
      ["delivered", 1],
    ]);
  });

  it("drops a message that is a day old", async () => {
    const receiver = await startReceiver();
    const { say, tick, clock, sent, state } = await begin(receiver);
    await say("a");
    clock.advanceTo(start + 2 * hour);
    await say("b");
    await tick(23 * hour);
    expect(sent()).toEqual(["b"]);
    expect(state()).toEqual([
      ["given up", 0],
      ["delivered", 1],
    ]);
  });

  it("keeps the newest thousand pending messages", async () => {
    const receiver = await startReceiver();
    const { say, path } = await begin(receiver);
    await say(...Array.from({ length: 1002 }, (_, n) => `n${n}`));
    expect(query(path, "select delivery, count(*) as n from alert_message group by 1 order by 1")).toEqual([
      { delivery: "given up", n: 2 },
      { delivery: "pending", n: 1000 },
    ]);
  });

  it("stops at once when no request is in progress, and soon when a response does not come", async () => {
    const receiver = await startReceiver();
    receiver.respond = () => {};
    const { say, start, stop, state } = await begin(receiver);
    await say("a");
    start();
    await until(() => receiver.received.length === 1);
    await stop();
    expect(state()).toEqual([["pending", 0]]);
  });

  it("marks an accepted message while it stops, although the rest of the response does not come", async () => {
    const receiver = await startReceiver();
    receiver.respond = (response) => void response.writeHead(200).write("o");
    const { say, start, stop, state } = await begin(receiver);
    await say("a");
    start();
    await until(() => receiver.received.length === 1);
    await stop();
    expect(state()).toEqual([["delivered", 1]]);
  });

  it("keeps a token that the webhook repeats out of log and database", async () => {
    const receiver = await startReceiver();
    const { say, tick, path, lines } = await begin(receiver);
    receiver.respond = responding(403, {}, `no such hook: ${receiver.url} ${token}\u001b[31m`);
    await say("a");
    await tick();
    const [{ problem } = { problem: "" }] = query(path, "select problem from alert_message");
    expect(problem).toContain(
      "denies access: its token, or a rule of the receiver, forbids it (HTTP 403): no such hook: [secret] [secret]\\u001b",
    );
    expect(lines.join()).not.toContain(token);
  });
});

describe("a webhook", () => {
  it("that responds too late runs into the timeout", async () => {
    const receiver = await startReceiver();
    receiver.respond = (response) => void sleep(2000).then(() => taken(response));
    const posting = post(new Secret(receiver.url), "{}", new AbortController().signal, { timeoutMs: 200 });
    await expect(posting).rejects.toThrow("127.0.0.1 did not respond within 0.2 s");
  });

  it("that responds with 200 has accepted the message, whatever happens to the rest of the response", async () => {
    const receiver = await startReceiver();
    receiver.respond = (response) => void response.writeHead(200).write("ok");
    const { status } = await post(new Secret(receiver.url), "{}", new AbortController().signal, { timeoutMs: 2000 });
    expect(status).toBe(200);
    receiver.respond = (response) => response.writeHead(200).write("o", () => response.destroy());
    const cut = await post(new Secret(receiver.url), "{}", new AbortController().signal);
    expect(cut.status).toBe(200);
  });

  it("that responds without end is read only as far as needed", async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write("x".repeat(1000)), 1);
      response.on("close", () => clearInterval(more));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const url = new Secret(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
    const { status, text } = await post(url, "{}", new AbortController().signal);
    expect([status, text.length]).toEqual([200, 200]);
    server.closeAllConnections();
  });
});

describe("a response of a webhook is explained", () => {
  const bot = "https://api.telegram.org/bot1:AAA/sendMessage";
  const explained = (status: number, text: string, format: WebhookFormat = "json", url = bot) =>
    problemOf({ status, text, retryAfterMs: null }, { format, url: new Secret(url) });

  it.each([
    [401, "Unauthorized", bot, "does not know the bot: correct the token in its address (HTTP 401)"],
    [404, "Not Found", bot, "does not know the bot: correct the token in its address (HTTP 404)"],
    [404, "Not Found", bot.replace("/sendMessage", ""), "its address must end in /sendMessage"],
    [
      403,
      "Forbidden: bot was blocked by the user",
      bot,
      "does not let the bot write to the chat (HTTP 403): start the bot",
    ],
    [400, "Bad Request: chat not found", bot, "does not know the chat: correct ALERT_TELEGRAM_CHAT (HTTP 400)"],
    [400, "Bad Request: message is too long", bot, "responded with HTTP 400: Bad Request: message is too long"],
    [429, "Too Many Requests: retry after 5", bot, "limits the rate of messages (HTTP 429)"],
    [503, "", bot, "responded with HTTP 503"],
  ])("telegram: %s %s", (status, text, url, problem) => {
    expect(explained(status, text, "telegram", url)).toContain(problem);
  });

  it.each([
    [401, "rejects the token in its address (HTTP 401): no"],
    [403, "denies access: its token, or a rule of the receiver, forbids it (HTTP 403): no"],
    [404, "no longer exists (HTTP 404): no"],
    [302, "redirects (HTTP 302), which is not followed: correct its address"],
    [500, "responded with HTTP 500: no"],
  ])("any other: %s", (status, problem) => {
    for (const format of ["json", "slack", "discord"] as const) expect(explained(status, "no", format)).toBe(problem);
  });
});
