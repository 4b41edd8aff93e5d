/** Rows E16 to E18, E20 and E21: faults of connections, DNS and redirects. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { preload } from "./preload.ts";
import { head, type Relay, type Responder, raw, startProxy } from "./relay.ts";
import { type Bench, row } from "./row.ts";
import { between, nextRun, oneProductType, positions, runsOf, spot } from "./runs.ts";

const part = '{"code":"00000","data":[';

/** Sends the first bytes at once, then the others one by one, every 200 ms. */
const dripping =
  (first: string, bytes: string): Responder =>
  (_response, socket) => {
    socket.write(first);
    let sent = 0;
    const timer = setInterval(() => socket.write(bytes.charAt(sent++ % bytes.length)), 200);
    socket.once("close", () => clearInterval(timer));
  };

row("E16", "one byte every 200 ms, in headers and body", { inEveryRun: true }, async (bench) => {
  const proxy = await startProxy(bench);
  proxy.always(spot, dripping("", head("content-length: 1000")));
  proxy.always(positions, dripping(`${head("content-length: 1000")}${part}`, " "));
  await goesUnanswered(bench, proxy);
});

row("E17", "a request without a response, or with half of one", { inEveryRun: true }, async (bench) => {
  const proxy = await startProxy(bench);
  proxy.always(spot, () => {});
  proxy.always(positions, raw(`${head("content-length: 1000")}${part}`, "hangs"));
  await goesUnanswered(bench, proxy);
});

/** Expects every run to end at its deadline without leaving a connection, and the next one to send its request again. */
async function goesUnanswered(bench: Bench, proxy: Relay): Promise<void> {
  const daemon = await bench.start({ ...proxy.env, ...oneProductType });
  const names = ["spot-assets", "positions"];
  await Promise.all(names.map((name) => nextRun(daemon, name, "failed", 1)));
  const asked = proxy.passed.filter(({ path }) => path === spot || path === positions);
  proxy.clear();
  await Promise.all(names.map((name) => nextRun(daemon, name, "ok")));

  const failed = names.flatMap((name) => runsOf(daemon, name)).filter(({ state }) => state === "failed");
  expect(failed.length).toBeGreaterThanOrEqual(4);
  expect(failed.map(({ requests, retries }) => [requests, retries])).toEqual(failed.map(() => [1, 0]));
  const codes = "select distinct error_code as code from snapshots where state = 'failed'";
  expect(bench.rows(codes)).toEqual([{ code: "deadline" }]);
  const took = "select max(unixepoch(finished_at) * 1000 - scheduled_for_ms) as ms from runs where state = 'failed'";
  expect(bench.rows(took)[0]?.ms).toBeLessThan(10_000);
  for (const { at, overAt } of asked) expect((overAt ?? forever) - at).toBeLessThan(10_000);
  // One idle connection for each dataset, to be reused.
  expect(proxy.open()).toBeLessThanOrEqual(2);
}

const forever = Number.POSITIVE_INFINITY;

row(
  "E18",
  "connections reset: at once, at the first byte, in the body",
  { inEveryRun: true, timeoutSeconds: 40 },
  async (bench) => {
    const proxy = await startProxy(bench);

    const daemon = await bench.start({ ...proxy.env, SCHEDULE_SPOT_ASSETS: "*/4 * * * * *", SCHEDULE_POSITIONS: "" });
    await nextRun(daemon, "spot-assets", "ok", 0);
    const inBody = raw(`${head("content-length: 1000")}${part}`, "is reset");
    proxy.answer(spot, [raw("H", "is reset"), inBody]);
    proxy.resetConnections(1);
    const failed = await nextRun(daemon, "spot-assets");
    proxy.answer(spot, [inBody]);
    const good = await nextRun(daemon, "spot-assets");

    expect(failed).toMatchObject({ state: "failed", requests: 3, retries: 2 });
    expect(failed.failed?.[0]).toMatch(/^network .* no response from 127\.0\.0\.1/);
    expect(good).toMatchObject({ state: "ok", requests: 2, retries: 1 });
    expect(Math.min(...between(proxy.requestsTo(spot)))).toBeGreaterThan(180);
  },
);

row("E20", "an unknown host name; a lookup of ten seconds", { timeoutSeconds: 60 }, async (bench) => {
  const settings = { BITGET_API_VERSION: "v2", BITGET_ALLOW_WRITE_KEYS: "true", SCHEDULE_POSITIONS: "" };
  // The exchange has not confirmed the clock, and nothing is due before that.
  const unknown = await bench.start({ ...settings, BITGET_BASE_URL: "https://exchange.invalid" });
  await unknown.printed(/nothing is due: .* has not confirmed .*\((ENOTFOUND|EAI_AGAIN)\)/);
  expect((await bench.stop(unknown)).code).toBe(0);
  const { env } = preload(bench);
  const slow = await bench.start({
    ...settings,
    ...env,
    BITGET_BASE_URL: bench.exchange.url.replace("127.0.0.1", "localhost"),
    HOOK_SLOW_LOOKUP: "10000",
  });
  await slow.printed(/nothing is due: .* has not confirmed .*\(lookup\)/);
  expect((await bench.stop(slow)).code).toBe(0);
  expect(bench.rows("select run_id from runs")).toEqual([]);
  expect(bench.exchange.counts.requests).toBe(0);
});

row("E21", "redirects, to other hosts, to http, to another path", { inEveryRun: true }, async (bench) => {
  const proxy = await startProxy(bench);
  let reached = 0;
  const elsewhere = createServer((_request, response) => {
    reached += 1;
    response.end('{"code":"00000","data":[]}');
  });
  elsewhere.on("connection", () => {
    reached += 1;
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  bench.onEnd(() => elsewhere.close());
  const { port } = elsewhere.address() as AddressInfo;
  const redirects = {
    USDT: [301, `http://127.0.0.1:${port}/`],
    COIN: [302, `http://localhost:${port}${positions}`],
    USDC: [303, `//127.0.0.1:${port}/`],
    SUSDT: [307, "/api/v2/elsewhere"],
  } as const;
  const to =
    (status: number, location: string): Responder =>
    (response) =>
      response.writeHead(status, { location }).end();
  for (const [line, [status, location]] of Object.entries(redirects))
    proxy.always(positions, to(status, location), { productType: `${line}-FUTURES` });
  proxy.always(spot, to(308, `https://127.0.0.1:${port}${spot}`));

  const daemon = await bench.start(proxy.env);
  for (const name of ["spot-assets", "positions"]) await nextRun(daemon, name, "failed", 1);
  await bench.stop(daemon);

  expect(reached).toBe(0);
  expect(proxy.requestsTo("/api/v2/elsewhere")).toEqual([]);
  expect(bench.rows("select distinct dataset, requests, retries from runs where state = 'failed' order by 1")).toEqual([
    { dataset: "positions", requests: 4, retries: 0 },
    { dataset: "spot-assets", requests: 1, retries: 0 },
  ]);
  expect(
    bench.rows("select error_code as code, count(distinct dataset || product_type) as scopes from snapshots"),
  ).toEqual([{ code: "redirect", scopes: 4 }]);
});
