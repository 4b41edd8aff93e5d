import { expect, it } from "vitest";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { classic, unified } from "../support/settings.ts";
import { until } from "../support/wait.ts";
import { ask, handClock, noon, send, signed, simulator } from "./support.ts";

const spot = "/api/v2/spot/account/assets";
const positions = "/api/v2/mix/position/all-position?productType=USDT-FUTURES";

it("an error envelope is sent once, then ordinary responses follow", async () => {
  const exchange = await simulator();
  exchange.injectFault({ code: "45001", message: "Unknown error" });

  const waiting = exchange.pendingFaults();
  const first = await ask(exchange, classic, spot);
  const second = await ask(exchange, classic, spot);

  expect([first.status, first.body]).toEqual([
    400,
    { code: "45001", msg: "Unknown error", requestTime: noon, data: null },
  ]);
  expect([waiting, second.status, exchange.pendingFaults(), exchange.record.length]).toEqual([1, 200, 0, 1]);
});

it("a fault applies only to the given path, account and parameters", async () => {
  const exchange = await simulator();
  const params = { productType: "USDC-FUTURES" };
  exchange.injectFault({ path: "/api/v2/mix", account: "main", params, status: 500, times: Number.POSITIVE_INFINITY });

  const statuses = [
    await ask(exchange, classic, spot),
    await ask(exchange, classic, positions),
    await ask(exchange, unified, "/api/v3/account/assets"),
    await ask(exchange, classic, "/api/v2/mix/position/all-position?productType=USDC-FUTURES"),
    await ask(exchange, classic, "/api/v2/mix/account/accounts?productType=USDC-FUTURES"),
  ].map(({ status }) => status);

  expect(statuses).toEqual([200, 200, 200, 500, 500]);
});

it("faults are injected in the order in which they were requested, and can be cancelled", async () => {
  const exchange = await simulator();
  for (const code of ["40725", "40015", "45001"]) exchange.injectFault({ code });

  const first = await ask(exchange, classic, spot);
  const second = await ask(exchange, classic, spot);
  exchange.clearFaults();
  const third = await ask(exchange, classic, spot);

  expect([first, second, third].map(({ body }) => body.code)).toEqual(["40725", "40015", "00000"]);
});

it("a request that the gateway refuses consumes no fault", async () => {
  const exchange = await simulator();
  exchange.injectFault({ status: 503 });

  const refused = await send(exchange.url + spot, { ...signed(classic, spot), "ACCESS-SIGN": "x" });

  expect([refused.body.code, exchange.pendingFaults()]).toEqual(["40009", 1]);
});

it("a requested 429 does not count as a violation of the limits", async () => {
  const exchange = await simulator();
  exchange.injectFault({ status: 429, code: "429", headers: { "retry-after": "2" } });

  const { status, headers } = await ask(exchange, classic, spot);

  expect([status, headers.get("retry-after"), exchange.counts.limitViolations]).toEqual([429, "2", 0]);
});

it.each([
  ["an HTML page", { status: 502, body: "<html>Bad Gateway</html>", headers: { "content-type": "text/html" } }],
  ["nothing at all", { status: 200, body: "" }],
  ["cut JSON", { status: 200, body: '{"code":"00000","da' }],
])("%s is sent as it is", async (_title, fault) => {
  const exchange = await simulator();
  exchange.injectFault(fault);

  const { status, text } = await ask(exchange, classic, spot);

  expect([status, text, exchange.record]).toEqual([fault.status, fault.body, []]);
});

it("an edited response is sent as edited, and recorded without rows", async () => {
  const exchange = await simulator();
  exchange.injectFault({
    edit: (envelope) => ({ ...(envelope as object), data: [{ coin: "USDT", available: "NaN" }] }),
  });

  const { body } = await ask(exchange, classic, spot);

  expect(body.data).toEqual([{ coin: "USDT", available: "NaN" }]);
  expect(exchange.record).toEqual([
    { account: "main", dataset: "spot-assets", scope: null, takenAt: noon, rows: [], edited: true },
  ]);
});

/** A clock that does at once what should happen later, and remembers how much later. */
function hasty(): { clock: Clock; waits: number[] } {
  const waits: number[] = [];
  const after: Clock["after"] = (ms, action) => {
    waits.push(ms);
    return systemClock.after(0, action);
  };
  return { clock: { ...handClock(), after }, waits };
}

it("a delayed response is a good response, later", async () => {
  const { clock, waits } = hasty();
  const exchange = await simulator({ clock });
  exchange.injectFault({ delayMs: 60 });

  const { status } = await ask(exchange, classic, spot);

  expect(status).toBe(200);
  expect(waits).toEqual([60]);
});

it("latency is added to every response, including refusals", async () => {
  const { clock, waits } = hasty();
  const exchange = await simulator({ clock, latencyMs: 60 });

  await send(exchange.url + spot);

  expect(waits).toEqual([60]);
});

it("a response sent byte by byte arrives complete", async () => {
  const { clock, waits } = hasty();
  const exchange = await simulator({ clock });
  exchange.injectFault({ drip: 1, status: 200, body: "slow" });

  const { text } = await ask(exchange, classic, spot);

  expect(text).toBe("slow");
  expect([new Set(waits), waits.length > 3]).toEqual([new Set([1]), true]);
});

it("a reset breaks the connection, and only that one", async () => {
  const exchange = await simulator();
  exchange.injectFault({ reset: true });

  await expect(ask(exchange, classic, spot)).rejects.toThrow("fetch failed");
  const after = await ask(exchange, classic, spot);

  expect(after.status).toBe(200);
});

it("a hanging request gets no response, and closing the exchange ends it", async () => {
  const exchange = await simulator();
  exchange.injectFault({ hang: true });

  const hanging = ask(exchange, classic, spot).then(
    () => "answered",
    () => "ended",
  );
  await until(() => exchange.pendingFaults() === 0);
  await exchange.close();

  expect(await hanging).toBe("ended");
});
