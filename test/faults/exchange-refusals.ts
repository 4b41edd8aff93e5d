/** Rows E1 to E7 and E12: the exchange refuses requests. */
import type { ServerResponse } from "node:http";
import { expect } from "vitest";
import type { Fault } from "../../src/simulator/simulator.ts";
import type { Running } from "../support/program.ts";
import { startProxy } from "./relay.ts";
import { row } from "./row.ts";
import { between, funding, futures, nextRun, oneProductType, positions, runsOf, soon, spot } from "./runs.ts";

const everyFour = "*/4 * * * * *";
const forever = Number.POSITIVE_INFINITY;

/** Returns the state and counts of a run, without its varying fields. */
const endOf = ({ state, requests, retries }: { state: string; requests: number; retries: number }) => ({
  state,
  requests,
  retries,
});

/** Returns the refusals recorded by the runs of a dataset. */
const refusedIn = (running: Running, dataset: string): string[] =>
  runsOf(running, dataset).flatMap(({ failed = [] }) =>
    failed.filter((problem) => /^(429|rate_limited) /.test(problem)),
  );

row("E1", "429, no Retry-After, twice", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const proxy = await startProxy(bench);
  bench.exchange.injectFault({ status: 429, times: 2, path: spot });

  const daemon = await bench.start({ ...proxy.env, SCHEDULE_SPOT_ASSETS: soon(10) });
  const run = await nextRun(daemon, "spot-assets", undefined, 0);

  expect(endOf(run)).toEqual({ state: "ok", requests: 3, retries: 2 });
  const asked = proxy.requestsTo(spot);
  const [first = 0, second = 0] = between(asked);
  expect(first).toBeGreaterThan(700);
  expect(second).toBeGreaterThan(1450);
  expect(new Set(asked.map(({ headers }) => headers["access-timestamp"])).size).toBe(3);
  expect(new Set(asked.map(({ headers }) => headers["access-sign"])).size).toBe(3);
  expect(bench.exchange.counts).toMatchObject({ badSignatures: 0, limitViolations: 0 });
});

row(
  "E2",
  "429 with Retry-After 2 while other requests are queued",
  { inEveryRun: true, timeoutSeconds: 60 },
  async (bench) => {
    const proxy = await startProxy(bench);
    // Five requests are sent in the first second, as allowed; the sixth and the five refused ones wait.
    bench.exchange.injectFault({ status: 429, headers: { "retry-after": "2" }, times: 5, path: positions });

    const daemon = await bench.start({
      ...proxy.env,
      BITGET_PRODUCT_TYPES: "umcbl,dmcbl,cmcbl,sumcbl,sdmcbl,scmcbl",
      SCHEDULE_POSITIONS: soon(10),
      SCHEDULE_SPOT_ASSETS: "* * * * * *",
    });
    const run = await nextRun(daemon, "positions", undefined, 0);

    expect(endOf(run)).toEqual({ state: "ok", requests: 11, retries: 5 });
    const asked = proxy.requestsTo(positions);
    const [refused = 0, next = 0] = [asked[4]?.at, asked[5]?.at];
    expect(next - refused).toBeGreaterThan(1950);
    const meanwhile = proxy.requestsTo(spot).filter(({ at }) => at > refused && at < next);
    expect(meanwhile.length).toBeGreaterThan(0);
    expect(refusedIn(daemon, "spot-assets")).toEqual([]);
    expect(bench.exchange.counts.limitViolations).toBe(0);
  },
);

row(
  "E3a",
  "Retry-After that is negative, not a number, zero, a fraction",
  { inEveryRun: true, timeoutSeconds: 60 },
  async (bench) => {
    const proxy = await startProxy(bench);
    for (const wait of ["-5", "abc", "0", "1.5"])
      bench.exchange.injectFault({ status: 429, headers: { "retry-after": wait }, path: spot });

    const daemon = await bench.start({ ...proxy.env, SCHEDULE_SPOT_ASSETS: soon(12) });
    const run = await nextRun(daemon, "spot-assets", undefined, 0);

    expect(endOf(run)).toEqual({ state: "ok", requests: 5, retries: 4 });
    const waits = between(proxy.requestsTo(spot));
    // Without a usable header each wait is longer than the one before, and at least 250 ms.
    for (const [n, shortest] of [700, 1450, 245, 1450].entries()) expect(waits[n]).toBeGreaterThan(shortest);
  },
);

row("E3b", "Retry-After as a date, of a day, of a month", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const proxy = await startProxy(bench);
  const retryAfter = (value: string, path: string): Fault => ({ status: 429, headers: { "retry-after": value }, path });
  bench.exchange.injectFault(retryAfter("86400", spot));
  bench.exchange.injectFault(retryAfter("3000000", funding));
  const asked = new Promise<ServerResponse>((resolve) => proxy.answer(positions, [resolve]));

  const daemon = await bench.start({
    ...proxy.env,
    ...oneProductType,
    SCHEDULE_FUNDING_ASSETS: "*/2 * * * * *",
    SCHEDULE_POSITIONS: soon(10),
    SCHEDULE_PRICES: "* * * * * *",
  });
  await Promise.all(["spot-assets", "funding-assets"].map((name) => nextRun(daemon, name, "failed", 0)));
  // Three refusals in a row, without a good response in between, would be those of all paths.
  await nextRun(daemon, "prices");
  const response = await asked;
  response.writeHead(429, { "retry-after": new Date(Date.now() + 3000).toUTCString() }).end();
  const run = await nextRun(daemon, "positions", undefined, 0);
  await nextRun(daemon, "spot-assets", "failed", 1);
  await nextRun(daemon, "funding-assets", "failed", 1);

  // A date has whole seconds: of three, at least two remain.
  expect(endOf(run)).toEqual({ state: "ok", requests: 2, retries: 1 });
  expect(between(proxy.requestsTo(positions))[0]).toBeGreaterThan(1900);
  // At most 30 s are accepted, which is more than the two seconds of the run.
  for (const [dataset, path] of [
    ["spot-assets", spot],
    ["funding-assets", funding],
  ] as const) {
    expect(proxy.requestsTo(path)).toHaveLength(1);
    expect(bench.rows(`select distinct error_code as code from snapshots where dataset = '${dataset}'`)).toEqual([
      { code: "429" },
      { code: "rate_limited" },
    ]);
  }
  const longest =
    "select max(unixepoch(finished_at) * 1000 - scheduled_for_ms) as ms from runs where dataset <> 'positions'";
  expect(bench.rows(longest)[0]?.ms).toBeLessThan(25_000);
});

row("E4", "429 permanently", { inEveryRun: true, timeoutSeconds: 40 }, async (bench) => {
  const proxy = await startProxy(bench);
  bench.exchange.injectFault({ status: 429, times: forever, path: spot });

  const daemon = await bench.start(proxy.env);
  const first = await nextRun(daemon, "spot-assets", "failed", 0);
  const refusals = proxy.requestsTo(spot).length;
  await nextRun(daemon, "spot-assets", "failed");
  const later = proxy.requestsTo(spot).length;
  bench.exchange.clearFaults();
  await nextRun(daemon, "spot-assets", "ok");

  expect(first.failed?.[0]).toMatch(/^429 /);
  // The third attempt would come after the deadline of two seconds.
  expect([1, 2]).toContain(refusals);
  expect(later).toBeGreaterThan(refusals);
  // After each refusal that arrived: the deadline may end a request before its response is there.
  const refused = runsOf(daemon, "spot-assets").flatMap(({ requests, rateLimited }) =>
    Array.from({ length: requests }, (_, n) => n < rateLimited),
  );
  const waits = between(proxy.requestsTo(spot)).filter((_, n) => refused[n]);
  expect(waits.length).toBeGreaterThanOrEqual(2);
  expect(Math.min(...waits)).toBeGreaterThan(700);
  expect(refusedIn(daemon, "positions")).toEqual([]);
  expect(bench.rows("select count(*) as n from snapshots where state = 'ok' and rows = 0")).toEqual([{ n: 0 }]);
});

row(
  "E5",
  "200 with the error code of a rate limit in the body",
  { inEveryRun: true, timeoutSeconds: 60 },
  async (bench) => {
    const proxy = await startProxy(bench);
    bench.exchange.injectFault({ status: 200, code: "30007", path: spot });
    bench.exchange.injectFault({ status: 200, code: "429", headers: { "retry-after": "1" }, path: spot });
    bench.exchange.injectFault({ status: 200, code: "25004", headers: { "retry-after": "0.5" }, path: spot });

    const daemon = await bench.start({ ...proxy.env, SCHEDULE_SPOT_ASSETS: soon(10) });
    const run = await nextRun(daemon, "spot-assets", undefined, 0);

    expect(endOf(run)).toEqual({ state: "ok", requests: 4, retries: 3 });
    const waits = between(proxy.requestsTo(spot));
    for (const [n, shortest] of [700, 950, 450].entries()) expect(waits[n]).toBeGreaterThan(shortest);
  },
);

row("E6", "500, 502, 503, 504, then success", { inEveryRun: true, timeoutSeconds: 40 }, async (bench) => {
  const proxy = await startProxy(bench);
  for (const status of [500, 502]) bench.exchange.injectFault({ status, body: "", path: spot });
  for (const status of [503, 504]) bench.exchange.injectFault({ status, body: "", path: positions });

  const schedule = everyFour;
  const env = { ...proxy.env, ...oneProductType, SCHEDULE_SPOT_ASSETS: schedule, SCHEDULE_POSITIONS: schedule };
  const daemon = await bench.start(env);
  const runs = [await nextRun(daemon, "spot-assets", undefined, 0), await nextRun(daemon, "positions", undefined, 0)];

  expect(runs.map(endOf)).toEqual(Array(2).fill({ state: "ok", requests: 3, retries: 2 }));
  expect(bench.rows("select distinct requests, retries from runs where state = 'ok'")).toContainEqual({
    requests: 3,
    retries: 2,
  });
  for (const path of [spot, positions])
    expect(Math.min(...between(proxy.requestsTo(path)).slice(0, 2))).toBeGreaterThan(180);
});

row("E7", "503 permanently", { inEveryRun: true }, async (bench) => {
  const { exchange, rows } = bench;
  exchange.injectFault({ status: 503, body: "", times: forever, path: "/api/v2/spot" });

  const daemon = await bench.start({ BITGET_ALLOW_WRITE_KEYS: "true", SCHEDULE_SPOT_ASSETS: everyFour });
  const first = await nextRun(daemon, "spot-assets", undefined, 0);
  const second = await nextRun(daemon, "spot-assets");

  expect([first, second].map(endOf)).toEqual(Array(2).fill({ state: "failed", requests: 3, retries: 2 }));
  expect(rows("select distinct error_code as code from snapshots where dataset = 'spot-assets'")).toEqual([
    { code: "upstream" },
  ]);
  expect(rows("select count(*) as n from spot_assets_history")).toEqual([{ n: 0 }]);
  const others = runsOf(daemon, "positions");
  expect(others.map(({ state }) => state)).toContain("ok");
  expect(others.flatMap(({ failed = [] }) => failed).filter((problem) => problem.startsWith("upstream"))).toEqual([]);
});

row(
  "E12",
  "error codes: known, a number, missing, 10 kB long",
  { inEveryRun: true, timeoutSeconds: 40 },
  async (bench) => {
    const long = `bad\n\u001b[31m${"x".repeat(10_000)}`;
    const body = (envelope: object) => JSON.stringify(envelope);
    bench.exchange.injectFault({ status: 200, code: "00001", path: spot });
    bench.exchange.injectFault({ body: body({ code: 0, msg: "", data: [] }), times: 3, path: positions });
    bench.exchange.injectFault({ body: body({ msg: "success", data: [] }), times: 3, path: funding });
    bench.exchange.injectFault({ body: body({ code: long, msg: long, data: [] }), times: 3, path: futures });

    const schedule = everyFour;
    const daemon = await bench.start({
      ...oneProductType,
      SCHEDULE_SPOT_ASSETS: schedule,
      SCHEDULE_POSITIONS: schedule,
      SCHEDULE_FUNDING_ASSETS: schedule,
      SCHEDULE_MIX_ACCOUNTS: schedule,
    });
    const names = ["spot-assets", "positions", "funding-assets", "mix-accounts"];
    const failed = await Promise.all(names.map((name) => nextRun(daemon, name, undefined, 0)));
    await Promise.all(names.map((name) => nextRun(daemon, name, "ok", 1)));

    // An undocumented code may be temporary and is retried; a documented one is not.
    expect(failed.map(endOf)).toEqual([
      { state: "failed", requests: 1, retries: 0 },
      ...Array(3).fill({ state: "failed", requests: 3, retries: 2 }),
    ]);
    const failures = bench.rows(
      "select dataset, error_code as code, length(error_message) as length, rows from snapshots where state = 'failed' order by 1",
    );
    expect(failures).toEqual([
      { dataset: "funding-assets", code: "bad_body", length: expect.any(Number), rows: 0 },
      { dataset: "mix-accounts", code: "bad\\u000a\\u001b[", length: expect.any(Number), rows: 0 },
      { dataset: "positions", code: "0", length: expect.any(Number), rows: 0 },
      { dataset: "spot-assets", code: "00001", length: expect.any(Number), rows: 0 },
    ]);
    for (const { length } of failures) expect(length).toBeLessThan(500);
    for (const line of daemon.output().stderr.split("\n")) expect(line.length).toBeLessThan(2000);
  },
);
