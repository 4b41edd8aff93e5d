import type { IncomingHttpHeaders } from "node:http";
import { afterAll, describe, expect, it } from "vitest";
import { commonEndpoints } from "../../src/bitget/endpoints.ts";
import { toJson } from "../../src/bitget/wire/json.ts";
import { signer } from "../../src/bitget/wire/sign.ts";
import type { Clock } from "../../src/core/clock.ts";
import { DeadlineError } from "../../src/core/errors.ts";
import { endpointNamed } from "../../src/datasets/endpoints.ts";
import { handClock, noon } from "../simulator/support.ts";
import {
  account,
  answer,
  canaries,
  clientOf,
  failureOf,
  fastClock,
  leaks,
  logged,
  refusal,
  type Script,
  send,
  startServer,
  within,
} from "./support.ts";

const spot = endpointNamed("v2/spot-assets");
const positions = endpointNamed("v2/positions");
const tickers = endpointNamed("v2/tickers");
const ok = answer([{ coin: "BTC", available: "1.50" }]);
const fast = () => ({ clock: fastClock(20) });

/** Each request the next line of the script; the last one for ever. */
const inTurn =
  (...turns: [number, string, Record<string, string>?][]): Script =>
  (_request, response, number) => {
    const [status, body, headers] = turns[Math.min(number, turns.length) - 1] ?? [500, ""];
    send(response, status, body, headers);
  };

describe("a response", () => {
  it("keeps every digit, with its time by the exchange's clock", async () => {
    const clock = handClock();
    const requestTime = clock.now() + 1234;
    const body = `{"code":"00000","msg":"success","requestTime":${requestTime},"data":{"n":0.1234567890123456789}}`;
    const server = await startServer(inTurn([200, body]));

    const { data, takenAt, receivedAt } = await clientOf(server.url, { clock }).get(spot, {}, within(600_000));

    expect(toJson(data)).toBe('{"n":0.1234567890123456789}');
    expect(takenAt).toBe(requestTime);
    expect(receivedAt).toBe(clock.now());
  });

  it.each([
    ["none", {}],
    ["zero", { requestTime: 0 }],
    ["text that is no time", { requestTime: "soon" }],
  ])("with requestTime %s is taken at its arrival", async (_title, more) => {
    const server = await startServer(inTurn([200, answer([], more)]));

    const { takenAt, receivedAt } = await clientOf(server.url).get(spot, {}, within(600_000));

    expect(takenAt).toBe(receivedAt);
  });

  it("of another day is rejected, because one of the clocks is wrong", async () => {
    const server = await startServer(inTurn([200, answer([], { requestTime: 1_700_000_000_000 })]));

    const asked = clientOf(server.url).get(spot, {}, within(600_000));

    await expect(asked).rejects.toMatchObject({
      kind: "clock",
      message: expect.stringContaining("set this machine's clock"),
    });
  });

  it("counts as one request", async () => {
    const server = await startServer(inTurn([200, ok]));
    const options = within(600_000);

    await clientOf(server.url).get(spot, {}, options);

    expect(options.tally).toEqual({ requests: 1, retries: 0, rateLimited: 0, responses: 1 });
  });
});

describe("a request", () => {
  it("is signed over the target that is sent", async () => {
    const server = await startServer(inTurn([200, ok]));

    await clientOf(server.url).get(positions, { productType: "USDT-FUTURES", marginCoin: "USDT" }, within(600_000));

    const { url = "", headers = {} as IncomingHttpHeaders } = server.seen[0] ?? {};
    const expected = signer(account)(Number(headers["access-timestamp"]), "GET", url);
    expect(url).toBe("/api/v2/mix/position/all-position?marginCoin=USDT&productType=USDT-FUTURES");
    expect(headers["access-sign"]).toBe(expected["ACCESS-SIGN"]);
    expect(headers["access-key"]).toBe(canaries.key);
    expect(headers.locale).toBe("en-US");
    expect(headers.paptrading).toBeUndefined();
  });

  it("of a demo key has the demo header, except for a public endpoint", async () => {
    const server = await startServer(inTurn([200, ok]));
    const client = clientOf(server.url, { demoTrading: true });

    await client.get(spot, {}, within(600_000));
    await client.get(tickers, {}, within(600_000));

    expect(server.seen.map(({ headers }) => headers.paptrading)).toEqual(["1", undefined]);
  });

  it("for a public endpoint contains nothing about the account", async () => {
    const server = await startServer(inTurn([200, ok]));

    await clientOf(server.url).get(tickers, {}, within(600_000));

    const names = Object.keys(server.seen[0]?.headers ?? {});
    expect(names.filter((name) => name.startsWith("access-"))).toEqual([]);
  });

  it("without an account is rejected for a signed endpoint", async () => {
    const server = await startServer(inTurn([200, ok]));
    const client = clientOf(server.url, { account: null });

    const error = await failureOf(client.get(spot, {}, within(600_000)));

    expect([error.kind, server.seen.length]).toEqual(["usage", 0]);
  });

  it("that failed is signed again for the retry", async () => {
    const server = await startServer(inTurn([503, ""], [503, ""], [200, ok]));
    const options = within(600_000);

    await clientOf(server.url).get(spot, {}, options);

    const signatures = new Set(server.seen.map(({ headers }) => headers["access-sign"]));
    expect([signatures.size, options.tally]).toEqual([3, { requests: 3, retries: 2, rateLimited: 0, responses: 1 }]);
  });
});

describe("a response is unusable:", () => {
  it.each([
    ["an empty body", 200, ""],
    ["204", 204, ""],
    ["null", 200, "null"],
    ["a list", 200, "[]"],
    ["a number", 200, "5"],
    ["a page of HTML", 200, "<html><body>Maintenance</body></html>"],
    ["JSON behind a byte order mark", 200, `\ufeff${ok}`],
    ["zero bytes", 200, "\0\0\0"],
    ["cut JSON", 200, ok.slice(0, -5)],
    ["an object without a code", 200, '{"data":[]}'],
    ["success without data", 200, '{"code":"00000","msg":"success"}'],
    ["success with null for data", 200, answer(null)],
    ["a deep nest", 200, "[".repeat(100_000)],
    ["404 without a code", 404, "not found"],
  ])("%s", async (_title, status, body) => {
    const server = await startServer(inTurn([status, body]));

    const error = await failureOf(clientOf(server.url, fast()).get(spot, {}, within(600_000)));

    expect([error.kind, error.code, server.seen.length]).toEqual(["bad_body", "bad_body", 3]);
    expect(error.message).not.toContain("Maintenance");
  });

  it("an unusable response is requested again", async () => {
    const server = await startServer(inTurn([200, ""], [200, ok]));

    const { data } = await clientOf(server.url, fast()).get(spot, {}, within(600_000));

    expect(data).toEqual([{ coin: "BTC", available: "1.50" }]);
  });
});

describe("a failure", () => {
  it.each([
    [500, "", "upstream", "upstream", 3],
    [502, "<html>", "upstream", "upstream", 3],
    [503, refusal("40725"), "upstream", "40725", 3],
    [400, refusal("45001"), "upstream", "45001", 3],
    [400, refusal("40808"), "api", "40808", 2],
    [400, refusal("99999"), "api", "99999", 3],
    [503, refusal("99999"), "upstream", "99999", 3],
    [200, refusal("00001"), "api", "00001", 1],
    [200, '{"code":0,"data":[]}', "api", "0", 3],
    [400, refusal("40009"), "auth", "40009", 1],
    [401, refusal("40012"), "auth", "40012", 1],
    [400, refusal("40014"), "permission", "40014", 1],
    [400, refusal("40084"), "mode", "40084", 1],
    [400, refusal("30032"), "mode", "30032", 1],
    [400, refusal("40200"), "maintenance", "40200", 1],
    [403, "<html>", "auth", "auth", 1],
    [302, "", "redirect", "redirect", 1],
    [500, ok, "upstream", "upstream", 3],
  ])("of HTTP %d with %j is %s, code %s, after %d attempts", async (status, body, kind, code, attempts) => {
    const server = await startServer(inTurn([status, body]));

    const error = await failureOf(clientOf(server.url, fast()).get(spot, {}, within(600_000)));

    expect([error.kind, error.code, server.seen.length]).toEqual([kind, code, attempts]);
  });

  it("has the exchange's message and what to do", async () => {
    const server = await startServer(inTurn([400, refusal("40009", "sign signature error")]));

    const error = await failureOf(clientOf(server.url).get(spot, {}, within(600_000)));

    expect(error.message).toBe(
      '/api/v2/spot/account/assets: exchange error 40009 "sign signature error": ' +
        "the signature is wrong: the API secret does not belong to this key",
    );
  });

  it("shows the exchange's message shortened, without secrets or control characters", async () => {
    const words = `no key ${canaries.key}\n\u001b[31m${"x".repeat(10_000)}`;
    const server = await startServer(inTurn([400, refusal("40034", words)]));

    const error = await failureOf(clientOf(server.url).get(spot, {}, within(600_000)));

    expect(error.message).toContain("no key [secret]\\u000a\\u001b[31mxxx");
    expect(error.message.length).toBeLessThan(300);
  });

  it("of the connection is retried", async () => {
    const server = await startServer((_request, response, number) => {
      if (number < 3) response.socket?.destroy();
      else send(response, 200, ok);
    });
    const options = within(600_000);

    await clientOf(server.url, fast()).get(spot, {}, options);

    expect(options.tally).toEqual({ requests: 3, retries: 2, rateLimited: 0, responses: 1 });
  });
});

describe("429", () => {
  it.each([
    ["as a status", 429, "slow down"],
    ["as a code", 429, refusal("429")],
    ["with a code nobody knows", 429, refusal("99999")],
    ["as a code with 200", 200, refusal("25004")],
  ])("%s delays that endpoint longer each time, for at most five attempts", async (_title, status, body) => {
    const clock = fastClock(20);
    const server = await startServer(inTurn([status, body]));

    const error = await failureOf(clientOf(server.url, { clock }).get(spot, {}, within(600_000)));

    const gaps = server.seen.slice(1).map((request, index) => (request.at - (server.seen[index]?.at ?? 0)) * 20);
    expect([error.kind, server.seen.length]).toEqual(["rate_limited", 5]);
    expect(gaps.map((gap, index) => gap >= 750 * 2 ** index)).toEqual([true, true, true, true]);
  });

  it("pauses only its endpoint, for the requested time", async () => {
    const server = await startServer(({ path }, response, number) => {
      if (path === spot.path && number === 1) send(response, 429, refusal("429"), { "retry-after": "1" });
      else send(response, 200, ok);
    });
    const client = clientOf(server.url);
    const options = within(8000);
    const first = client.get(spot, {}, options);
    await expect.poll(() => logged.at(-1)).toContain("retrying later");
    const others = Array.from({ length: 5 }, () => client.get(spot, {}, options));
    await client.get(positions, { productType: "USDT-FUTURES" }, options);
    await Promise.all([first, ...others]);

    const [refused, ...rest] = server.seen;
    const waits = rest.map(({ path, at }) => [path, at - (refused?.at ?? 0) >= 1000]);
    expect(waits).toEqual([[positions.path, false], ...Array.from({ length: 6 }, () => [spot.path, true])]);
  });

  it("pauses the endpoint also after the last attempt", async () => {
    const server = await startServer((_request, response, number) =>
      send(response, 429, refusal("429"), { "retry-after": number < 5 ? "0.25" : "20" }),
    );
    const client = clientOf(server.url);

    await expect(client.get(spot, {}, within(20_000))).rejects.toMatchObject({ kind: "rate_limited" });
    await expect(client.get(spot, {}, within(400))).rejects.toBeInstanceOf(Error);

    expect(server.seen).toHaveLength(5);
  });

  it("that requires a day ends at the deadline as a rate limit", async () => {
    const server = await startServer(inTurn([429, refusal("429"), { "retry-after": "86400" }]));

    const error = await failureOf(clientOf(server.url).get(spot, {}, within(400)));

    expect([error.kind, server.seen.length]).toEqual(["rate_limited", 1]);
  });
});

it("a response that does not arrive before the deadline is a failure of the deadline", async () => {
  const server = await startServer(() => {});
  const controller = new AbortController();
  setTimeout(() => controller.abort(new DeadlineError("cut")), 100);

  const error = await failureOf(clientOf(server.url).get(spot, {}, { signal: controller.signal }));

  expect([error.kind, error.message]).toEqual(["deadline", "cut"]);
});

describe("the clock", () => {
  /** Stands still, so much off. */
  const off = (ms: number): Clock => handClock(noon + ms);
  /** An exchange at noon, that refuses what is more than 30 s off. */
  const strict: Script = ({ path, headers }, response) => {
    const now = noon;
    if (path === commonEndpoints["v2/time"].path) return send(response, 200, answer({ serverTime: String(now) }));
    const late = Math.abs(Number(headers["access-timestamp"]) - now) > 30_000;
    return late ? send(response, 400, refusal("40008")) : send(response, 200, answer([]));
  };

  it.each([60_000, -60_000])("that is %d ms off is measured, and the request sent once more", async (ms) => {
    const server = await startServer(strict);
    const client = clientOf(server.url, { clock: off(ms) });
    const options = within(600_000);

    const { takenAt } = await client.get(spot, {}, options);

    expect(server.seen.map(({ path }) => path)).toEqual([spot.path, commonEndpoints["v2/time"].path, spot.path]);
    expect(options.tally).toEqual({ requests: 3, retries: 1, rateLimited: 0, responses: 3 });
    expect([client.offset(), takenAt]).toEqual([-ms, noon]);
  });

  it("that the exchange still refuses is measured only once", async () => {
    const server = await startServer(({ path }, response) => {
      if (path === commonEndpoints["v2/time"].path) send(response, 200, answer({ serverTime: String(Date.now()) }));
      else send(response, 400, refusal("40008"));
    });

    const error = await failureOf(clientOf(server.url).get(spot, {}, within(600_000)));

    expect([error.kind, error.code, server.seen.length]).toEqual(["clock", "40008", 3]);
  });

  it.each([
    ["1970", "0"],
    ["ten years from now", String(Date.now() + 315_360_000_000)],
  ])("of an exchange in %s is not used", async (_title, serverTime) => {
    const server = await startServer(inTurn([200, answer({ serverTime })]));
    const client = clientOf(server.url);

    const error = await failureOf(client.measureOffset(new AbortController().signal));

    expect([error.kind, client.offset()]).toEqual(["clock", null]);
    expect(error.message).toContain("set this machine's clock");
  });

  it("is unknown at first, then measured at half the round trip", async () => {
    const clock = handClock();
    const server = await startServer((_request, response) => {
      const serverTime = String(clock.now() + 5000);
      clock.pass(100);
      send(response, 200, answer({ serverTime }));
    });
    const client = clientOf(server.url, { clock });
    const before = client.offset();

    const measured = await client.measureOffset(new AbortController().signal);

    expect([before, client.offset(), measured]).toEqual([null, 4950, 4950]);
    expect(client.exchangeNow()).toBe(clock.now() + 4950);
  });

  it("that a response shows to be far off is adopted; a small offset is not", async () => {
    const server = await startServer((_request, response, number) => {
      send(response, 200, answer([], { requestTime: noon + (number === 1 ? 1500 : 60_000) }));
    });
    const client = clientOf(server.url, { clock: handClock() });

    await client.get(spot, {}, within(600_000));
    const near = client.offset();
    await client.get(spot, {}, within(600_000));

    expect(near).toBeNull();
    expect(client.offset()).toBe(60_000);
  });
});

it("redaction finds secrets in every form", () => {
  const base64 = Buffer.from(canaries.secret).toString("base64");
  const texts = [`x ${canaries.key}`, `x ${base64} y`, encodeURIComponent(canaries.passphrase), "harmless"];

  expect(leaks(texts)).toEqual(texts.slice(0, 3));
});

afterAll(() => {
  expect(logged.length).toBeGreaterThan(50);
});
