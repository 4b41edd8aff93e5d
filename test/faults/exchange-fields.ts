/** Rows E22 to E24, E26 and E28: the exchange's response has unexpected fields or values. */
import { LosslessNumber } from "lossless-json";
import { expect } from "vitest";
import { startProxy } from "./relay.ts";
import { row } from "./row.ts";
import { funding, futures, nextRun, oneProductType, positions, soon, spot } from "./runs.ts";

type Item = Record<string, unknown>;

/** Edits the rows of a good response before it is sent. */
const rows = (change: (rows: Item[]) => unknown) => (envelope: unknown) => {
  const { data, ...rest } = envelope as { data: Item[] };
  return { ...rest, data: change(data) };
};

const everyFour = "*/4 * * * * *";

row("E22", "unknown fields and values", { inEveryRun: true }, async (bench) => {
  const { exchange } = bench;
  const always = { times: Number.POSITIVE_INFINITY };
  exchange.injectFault({
    ...always,
    path: spot,
    edit: rows((all) => all.map((one) => ({ ...one, newField: new LosslessNumber("0.10"), "odd\u001b[1m": null }))),
  });
  exchange.injectFault({
    ...always,
    path: positions,
    edit: rows((all) => all.map((one) => ({ ...one, marginMode: "Portfolio", holdSide: "net" }))),
  });

  const daemon = await bench.start(oneProductType);
  for (const name of ["spot-assets", "positions"]) await nextRun(daemon, name, "ok", 1);

  const { stderr } = daemon.output();
  expect(stderr).not.toContain("leaves out");
  expect(stderr.match(/sends an unknown field: [^;]*/g)?.sort()).toEqual([
    "sends an unknown field: spot-assets.newField",
    "sends an unknown field: spot-assets.odd\\\\u001b[1m",
  ]);
  expect(bench.rows("select distinct json_extract(extra, '$.newField') as field from spot_assets_history")).toEqual([
    { field: 0.1 },
  ]);
  expect(bench.rows("select count(*) as n from spot_assets_history where extra not like '%:0.10,%'")).toEqual([
    { n: 0 },
  ]);
  // An unknown value is stored in snake case.
  expect(bench.rows("select distinct margin_mode, hold_side from positions_history")).toEqual([
    { margin_mode: "portfolio", hold_side: "net" },
  ]);
});

row("E23", "fields that are missing, null, empty, renamed", { inEveryRun: true }, async (bench) => {
  const { exchange } = bench;
  const edit = rows(([first, second, third, fourth]) => {
    const { frozen: _missing, ...without } = first ?? {};
    const { locked, ...renamed } = fourth ?? {};
    return [without, { ...second, frozen: null }, { ...third, frozen: "" }, { ...renamed, lockedAmount: locked }];
  });
  exchange.injectFault({ path: spot, edit });
  const withoutTotal = rows((all) => all.map(({ total: _total, ...rest }) => rest));
  exchange.injectFault({ path: positions, params: { productType: "USDT-FUTURES" }, edit: withoutTotal });
  exchange.injectFault({
    path: futures,
    params: { productType: "USDC-FUTURES" },
    edit: rows((all) => all.map((one) => ({ ...one, marginCoin: null }))),
  });

  const daemon = await bench.start({
    SCHEDULE_SPOT_ASSETS: everyFour,
    SCHEDULE_POSITIONS: everyFour,
    SCHEDULE_MIX_ACCOUNTS: everyFour,
  });
  const runs = await Promise.all(
    ["spot-assets", "positions", "mix-accounts"].map((name) => nextRun(daemon, name, undefined, 0)),
  );

  expect(runs.map(({ state, retries }) => [state, retries])).toEqual([
    ["ok", 0],
    ["partial", 0],
    ["partial", 0],
  ]);
  const first = "select snapshot_id from snapshots where dataset = 'spot-assets' order by 1 limit 1";
  expect(
    bench.rows(
      `select count(*) as n, count(frozen) as frozen, count(locked) as locked, count(extra) as renamed,
       count(available) as available from spot_assets_history where snapshot_id in (${first})`,
    ),
  ).toEqual([{ n: 4, frozen: 1, locked: 3, renamed: 1, available: 4 }]);
  const { stderr } = daemon.output();
  expect(stderr).toContain("unknown field: spot-assets.lockedAmount");
  expect(stderr.match(/omits a documented field: [^;]*/g)?.sort()).toEqual([
    "omits a documented field: spot-assets.frozen",
    "omits a documented field: spot-assets.locked",
  ]);
  const failed =
    "select dataset, product_type, error_code, error_message from snapshots where state = 'failed' order by 1";
  expect(bench.rows(failed)).toEqual([
    {
      dataset: "mix-accounts",
      product_type: "cmcbl",
      error_code: "shape",
      error_message: `${futures}: data[0].marginCoin: is missing`,
    },
    {
      dataset: "positions",
      product_type: "umcbl",
      error_code: "shape",
      error_message: `${positions}: data[0].total: is missing`,
    },
  ]);
});

row("E24", "amounts that are not plain decimals", { inEveryRun: true }, async (bench) => {
  const digits = "0.1234567890123456789012345678901234567890";
  const kept = [
    digits,
    new LosslessNumber("1.50"),
    new LosslessNumber("12345678901234567890.1"),
    "-0.10",
    "1e5",
    "1.5E-7",
  ];
  const refused = { umcbl: "NaN", dmcbl: "Infinity", cmcbl: "0x10", sumcbl: " 1 ", sdmcbl: "1,000", scmcbl: true };
  const words = { umcbl: "USDT", dmcbl: "COIN", cmcbl: "USDC", sumcbl: "SUSDT", sdmcbl: "SCOIN", scmcbl: "SUSDC" };
  bench.exchange.injectFault({
    path: spot,
    edit: rows(([one]) => kept.map((available, n) => ({ ...one, coin: `C${n}`, available }))),
  });
  for (const [line, available] of Object.entries(refused)) {
    const productType = `${words[line as keyof typeof words]}-FUTURES`;
    bench.exchange.injectFault({
      path: futures,
      params: { productType },
      edit: rows(() => [{ marginCoin: "USDT", available }]),
    });
  }

  const daemon = await bench.start({
    BITGET_PRODUCT_TYPES: Object.keys(refused).join(","),
    SCHEDULE_SPOT_ASSETS: soon(12),
    SCHEDULE_MIX_ACCOUNTS: soon(12),
  });
  const good = await nextRun(daemon, "spot-assets", undefined, 0);
  const bad = await nextRun(daemon, "mix-accounts", undefined, 0);

  // An exponent is expanded; all digits are kept.
  expect(good).toMatchObject({ state: "ok", items: 6 });
  const first = "select snapshot_id from snapshots where dataset = 'spot-assets' order by 1 limit 1";
  const stored = bench.rows(`select available from spot_assets_history where snapshot_id in (${first}) order by coin`);
  expect(stored.map(({ available }) => available)).toEqual([
    digits,
    "1.50",
    "12345678901234567890.1",
    "-0.10",
    "100000",
    "0.00000015",
  ]);
  expect(bad).toMatchObject({ state: "failed", requests: 6, retries: 0 });
  const failed = "select product_type, error_code, error_message from snapshots where state = 'failed' and run_id in";
  const results = bench.rows(`${failed} (select min(run_id) from runs where dataset = 'mix-accounts')`);
  expect(Object.fromEntries(results.map(({ product_type, error_message }) => [product_type, error_message]))).toEqual(
    Object.fromEntries(
      Object.entries(refused).map(([line, value]) => [
        line,
        `${futures}: data[0].available: ${JSON.stringify(value)} is not a decimal number`,
      ]),
    ),
  );
});

row("E26", "the same row twice; two different rows with the same key", {}, async (bench) => {
  const { exchange } = bench;
  const twice = rows((all) => [...all, all[0]]);
  const otherwise = rows((all) => [...all, { ...all[0], available: "123.456" }]);
  for (const params of [{ productType: "USDT-FUTURES" }, { productType: "USDC-FUTURES" }])
    exchange.injectFault({ path: positions, params, edit: params.productType === "USDT-FUTURES" ? twice : otherwise });
  exchange.injectFault({ path: spot, edit: otherwise });
  exchange.injectFault({ path: funding, edit: twice });

  const daemon = await bench.start({
    SCHEDULE_SPOT_ASSETS: everyFour,
    SCHEDULE_POSITIONS: everyFour,
    SCHEDULE_FUNDING_ASSETS: everyFour,
  });
  const names = ["spot-assets", "positions", "funding-assets"];
  const runs = await Promise.all(names.map((name) => nextRun(daemon, name, undefined, 0)));

  expect(runs.map(({ state }) => state)).toEqual(["failed", "partial", "ok"]);
  const results = bench.rows(
    "select dataset, product_type, state, error_message from snapshots where run_id in (select min(run_id) from runs group by dataset)",
  );
  const failed = results.filter(({ state }) => state === "failed");
  expect(failed.map(({ dataset, product_type }) => `${dataset} ${product_type}`).sort()).toEqual([
    "positions cmcbl",
    "spot-assets null",
  ]);
  for (const { error_message } of failed) expect(error_message).toContain("two different rows");
  expect(
    bench.rows("select snapshot_id, coin, count(*) as n from funding_assets_history group by 1, 2 having n > 1"),
  ).toEqual([]);
});

/** No endpoint in use has pages; one that seems to promise further pages is requested once. */
row("E28", "a response that announces further pages, without end", {}, async (bench) => {
  const proxy = await startProxy(bench);
  const edit = rows((list) => ({ list, endId: "1", nextFlag: true, cursor: "1" }));
  bench.exchange.injectFault({ path: positions, edit, times: Number.POSITIVE_INFINITY });

  const daemon = await bench.start({ ...proxy.env, ...oneProductType });
  const first = await nextRun(daemon, "positions", undefined, 0);
  const second = await nextRun(daemon, "positions");

  expect([first, second]).toMatchObject(Array(2).fill({ state: "ok", requests: 1, retries: 0 }));
  expect(new Set(proxy.requestsTo(positions).map(({ query }) => String(query)))).toEqual(
    new Set(["productType=USDT-FUTURES"]),
  );
});
