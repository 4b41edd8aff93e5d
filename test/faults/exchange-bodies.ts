/** Rows E8 to E11 and E27: the exchange's response is unusable. */
import { expect } from "vitest";
import { head, raw, startProxy, whole } from "./relay.ts";
import { row } from "./row.ts";
import { funding, futures, nextRun, oneProductType, positions, runsOf, spot } from "./runs.ts";

const everyFour = "*/4 * * * * *";
const good = JSON.stringify({ code: "00000", msg: "success", requestTime: 0, data: [] });

row("E8", "an HTML page, with 200 and with 503", { inEveryRun: true }, async (bench) => {
  const body = "<!doctype html><h1>We will be right back</h1>";
  const headers = { "content-type": "text/html" };
  bench.exchange.injectFault({ body, headers, status: 200, times: 3, path: spot });
  bench.exchange.injectFault({ body, headers, status: 503, times: 3, path: positions });

  const daemon = await bench.start({
    ...oneProductType,
    SCHEDULE_SPOT_ASSETS: everyFour,
    SCHEDULE_POSITIONS: everyFour,
  });
  const failed = [await nextRun(daemon, "spot-assets", "failed", 0), await nextRun(daemon, "positions", "failed", 0)];

  expect(failed.map(({ requests, retries }) => [requests, retries])).toEqual(Array(2).fill([3, 2]));
  const failures = bench.rows(
    "select error_code, error_message from snapshots where state = 'failed' order by dataset",
  );
  expect(failures).toEqual([
    { error_code: "upstream", error_message: expect.stringContaining("unavailable (HTTP 503)") },
    { error_code: "bad_body", error_message: expect.stringContaining("not a JSON object (HTTP 200, text/html, 45 ") },
  ]);
  expect(JSON.stringify(failures) + daemon.output().stderr).not.toContain("right back");
});

row("E9", "empty body, 204, null, a list, a byte order mark, NUL bytes", { inEveryRun: true }, async (bench) => {
  const bodies = (path: string, all: { body: string; status?: number }[]) => {
    for (const one of all) bench.exchange.injectFault({ ...one, path });
  };
  bodies(spot, [{ body: "" }, { body: "", status: 204 }, { body: "null" }]);
  bodies(positions, [{ body: "[]" }, { body: `\ufeff${good}` }, { body: `\0${good}\0` }]);
  bodies(funding, [{ body: '{"code":"00000"}' }, { body: good.replace("[]", "null") }, { body: `"${spot}"` }]);

  const daemon = await bench.start({
    ...oneProductType,
    SCHEDULE_SPOT_ASSETS: everyFour,
    SCHEDULE_POSITIONS: everyFour,
    SCHEDULE_FUNDING_ASSETS: everyFour,
  });
  const names = ["spot-assets", "positions", "funding-assets"];
  const failed = await Promise.all(names.map((name) => nextRun(daemon, name, undefined, 0)));

  // Accepting one of the three as a response would have meant fewer requests.
  const three = { state: "failed", requests: 3, retries: 2 };
  expect(failed).toMatchObject([three, three, three]);
  expect(bench.rows("select distinct error_code, rows from snapshots")).toEqual([{ error_code: "bad_body", rows: 0 }]);
  await Promise.all(names.map((name) => nextRun(daemon, name, "ok")));
});

row("E10", "a truncated response: within the JSON, before its end, in a chunk", { inEveryRun: true }, async (bench) => {
  const proxy = await startProxy(bench);
  const part = good.slice(0, 40);
  const cutJson = whole(part, { headers: { "content-length": String(part.length) } });
  const cutBody = raw(`${head("content-length: 90")}${part}`, "ends");
  const cutChunk = raw(`${head("transfer-encoding: chunked")}28\r\n${part.slice(0, 20)}`, "ends");
  proxy.answer(spot, [cutJson, cutBody, cutChunk]);
  proxy.answer(positions, [cutChunk, cutBody, cutJson]);
  proxy.answer(funding, [cutJson, cutChunk]);

  const daemon = await bench.start({
    ...proxy.env,
    ...oneProductType,
    SCHEDULE_SPOT_ASSETS: everyFour,
    SCHEDULE_POSITIONS: everyFour,
    SCHEDULE_FUNDING_ASSETS: everyFour,
  });
  const names = ["spot-assets", "positions", "funding-assets"];
  const ended = await Promise.all(names.map((name) => nextRun(daemon, name, undefined, 0)));

  expect(ended).toMatchObject([
    { state: "failed", requests: 3, retries: 2 },
    { state: "failed", requests: 3, retries: 2 },
    { state: "ok", requests: 3, retries: 2 },
  ]);
  expect(bench.rows("select dataset, error_code, rows from snapshots where state = 'failed' order by 1")).toEqual([
    { dataset: "positions", error_code: "bad_body", rows: 0 },
    { dataset: "spot-assets", error_code: "network", rows: 0 },
  ]);
});

row("E11", "valid JSON with another content type", { inEveryRun: true }, async (bench) => {
  const headers = { "content-type": "text/plain" };
  const edit = (envelope: unknown) => envelope;
  bench.exchange.injectFault({ headers, edit, times: 2, path: spot });

  const daemon = await bench.start();
  await nextRun(daemon, "spot-assets", "ok", 0);
  await nextRun(daemon, "spot-assets", "ok", 1);

  expect(runsOf(daemon, "spot-assets").map(({ state }) => state)).not.toContain("failed");
  expect(daemon.output().stderr.match(/"type":"text\/plain"/g)).toHaveLength(1);
});

row("E27", "one product type fails, the others succeed", { inEveryRun: true }, async (bench) => {
  const productType = "USDT-FUTURES";
  for (const path of [positions, futures])
    bench.exchange.injectFault({
      status: 500,
      body: "",
      path,
      params: { productType },
      times: Number.POSITIVE_INFINITY,
    });

  const daemon = await bench.start({ SCHEDULE_POSITIONS: everyFour, SCHEDULE_MIX_ACCOUNTS: everyFour });
  const runs = [await nextRun(daemon, "positions", undefined, 0), await nextRun(daemon, "mix-accounts", undefined, 0)];
  await bench.stop(daemon);

  // Three were requested once, one three times.
  expect(runs).toMatchObject(Array(2).fill({ state: "partial", requests: 6, retries: 2 }));
  for (const dataset of ["positions", "mix-accounts"])
    expect(
      bench.rows(
        `select product_type, group_concat(distinct state) as states, group_concat(distinct error_code) as codes
         from snapshots where dataset = '${dataset}' group by 1 order by 1`,
      ),
    ).toEqual([
      { product_type: "cmcbl", states: "ok", codes: null },
      { product_type: "dmcbl", states: "ok", codes: null },
      { product_type: "sumcbl", states: "ok", codes: null },
      { product_type: "umcbl", states: "failed", codes: "upstream" },
    ]);
  expect(
    bench.rows("select distinct product_type from mix_accounts_history order by 1").map((one) => one.product_type),
  ).toEqual(["cmcbl", "dmcbl", "sumcbl"]);
  expect(bench.rows("select distinct product_type, cause from gaps where product_type is not null")).toEqual([
    { product_type: "umcbl", cause: "upstream" },
  ]);
});

/** API v1 has no total: it is computed from spot balances, prices and futures accounts. */
row(
  "E27b",
  "the same, with a total that depends on it",
  { timeoutSeconds: 40, exchange: { v1: true } },
  async (bench) => {
    const times = Number.POSITIVE_INFINITY;
    // Not every coin has a price; with only this coin the total is complete unless something fails.
    const onlyTether = (envelope: unknown) => {
      const { data, ...rest } = envelope as { data: { coinName: string }[] };
      return { ...rest, data: data.filter(({ coinName }) => coinName === "USDT") };
    };
    bench.exchange.injectFault({ path: "/api/spot/v1/account/assets", edit: onlyTether, times });

    const daemon = await bench.start({
      BITGET_API_VERSION: "v1",
      SCHEDULE_SPOT_ASSETS: everyFour,
      SCHEDULE_POSITIONS: "",
      SCHEDULE_MIX_ACCOUNTS: everyFour,
      SCHEDULE_PRICES: everyFour,
      SCHEDULE_EQUITY: everyFour,
    });
    await nextRun(daemon, "equity", "ok", 0);
    const params = { productType: "umcbl" };
    bench.exchange.injectFault({ status: 500, body: "", path: "/api/mix/v1/account/accounts", params, times });
    await nextRun(daemon, "mix-accounts", "partial");
    await nextRun(daemon, "equity", "ok");
    await bench.stop(daemon);

    const totals = bench.rows(
      `select m.state as accounts, max(h.complete) as complete, max(h.spot_usdt is not null) as spot,
     max(h.futures_usdt is not null) as futures
     from equity_history h join snapshots n using (snapshot_id) join runs r using (run_id)
     join runs m on m.dataset = 'mix-accounts' and m.scheduled_for = r.scheduled_for group by 1 order by 1`,
    );
    expect(totals).toEqual([
      { accounts: "ok", complete: 1, spot: 1, futures: 1 },
      { accounts: "partial", complete: 0, spot: 1, futures: 0 },
    ]);
  },
);
