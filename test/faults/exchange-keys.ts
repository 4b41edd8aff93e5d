/** Rows E13, E29 and E30: the key is refused, or repeated in a response. */
import { expect } from "vitest";
import { startProxy } from "./relay.ts";
import { row } from "./row.ts";
import { funding, futures, nextRun, oneProductType, positions, runsOf, spot } from "./runs.ts";

const forever = Number.POSITIVE_INFINITY;

row(
  "E13a",
  "unknown key; signature, passphrase or IP address refused",
  { inEveryRun: true, timeoutSeconds: 40 },
  async (bench) => {
    const refused = [
      { dataset: "spot-assets", path: spot, status: 400, code: "40009", hint: "the API secret does not belong" },
      { dataset: "positions", path: positions, status: 400, code: "40012", hint: "the passphrase is not the one" },
      { dataset: "funding-assets", path: funding, status: 401, code: "40018", hint: "IP whitelist" },
      { dataset: "mix-accounts", path: futures, status: 401, code: "40037", hint: "does not know this API key" },
    ];
    for (const { path, status, code } of refused) bench.exchange.injectFault({ status, code, path, times: forever });

    const every = "*/2 * * * * *";
    const daemon = await bench.start({
      ...oneProductType,
      SCHEDULE_FUNDING_ASSETS: every,
      SCHEDULE_MIX_ACCOUNTS: every,
    });
    await Promise.all(refused.map(({ dataset }) => nextRun(daemon, dataset, "failed", 1)));
    const status = await bench.run(["status", "--json"]);
    bench.exchange.clearFaults();
    await Promise.all(refused.map(({ dataset }) => nextRun(daemon, dataset, "ok")));

    const shown = JSON.parse(status.stdout) as { dataset: string; failures: { code: string; message: string }[] }[];
    for (const { dataset, code, hint } of refused) {
      const failed = runsOf(daemon, dataset).filter(({ state }) => state === "failed");
      expect(failed.length).toBeGreaterThanOrEqual(2);
      expect(failed.map(({ requests, retries }) => [requests, retries])).toEqual(failed.map(() => [1, 0]));
      const [problem] = shown.find((one) => one.dataset === dataset)?.failures ?? [];
      expect(problem).toMatchObject({ code, message: expect.stringContaining(hint) });
    }
  },
);

row("E13b", "the secret of another key", { inEveryRun: true, timeoutSeconds: 40 }, async (bench) => {
  const proxy = await startProxy(bench);

  const daemon = await bench.start({ ...proxy.env, BITGET_API_SECRET: "0123456789abcdef0123456789abcdef" });
  await nextRun(daemon, "spot-assets", "failed", 0);
  const before = proxy.passed.length;
  await nextRun(daemon, "spot-assets", "failed");
  await nextRun(daemon, "positions", "failed", 1);

  // One request for all runs of a slot, and none for data.
  expect(proxy.passed.length - before).toBeLessThanOrEqual(4);
  expect(proxy.requestsTo(spot)).toEqual([]);
  expect(bench.exchange.counts.badSignatures).toBeGreaterThanOrEqual(2);
  expect(bench.rows("select distinct error_code as code from snapshots")).toEqual([{ code: "40009" }]);
  expect(daemon.output().stderr).toContain("the API secret does not belong to this key");
});

row("E29", "the key is revoked during a run", { timeoutSeconds: 40 }, async (bench) => {
  const proxy = await startProxy(bench);
  for (const productType of ["COIN-FUTURES", "USDC-FUTURES", "SUSDT-FUTURES"])
    bench.exchange.injectFault({ code: "40006", params: { productType }, path: positions, times: forever });

  const daemon = await bench.start({ ...proxy.env, SCHEDULE_SPOT_ASSETS: "" });
  const first = await nextRun(daemon, "positions", undefined, 0);
  const second = await nextRun(daemon, "positions");

  expect([first, second]).toMatchObject(Array(2).fill({ state: "partial", requests: 4, retries: 0 }));
  expect(
    bench.rows("select distinct product_type, state, error_code from snapshots order by state desc, product_type"),
  ).toEqual([
    { product_type: "umcbl", state: "ok", error_code: null },
    { product_type: "cmcbl", state: "failed", error_code: "40006" },
    { product_type: "dmcbl", state: "failed", error_code: "40006" },
    { product_type: "sumcbl", state: "failed", error_code: "40006" },
  ]);
});

row("E30", "the response contains the key, the passphrase, the signature", { inEveryRun: true }, async (bench) => {
  const proxy = await startProxy(bench);
  const { key, secret, passphrase } = bench.account;
  const base64 = Buffer.from(passphrase).toString("base64");
  const echo = `no ${key}, ${encodeURIComponent(passphrase)}, ${base64}, ${JSON.stringify(secret)}`;
  bench.exchange.injectFault({ code: "40034", message: echo, path: spot });
  bench.exchange.injectFault({ code: key, message: passphrase, path: positions, times: 3 });
  proxy.answer(funding, [
    (response, _socket, { headers }) => {
      response.writeHead(400, { "content-type": `text/${key}` });
      response.end(
        JSON.stringify({ code: "40009", msg: `sign ${headers["access-sign"]} of ${key} is wrong`, data: null }),
      );
    },
  ]);

  const daemon = await bench.start({
    ...proxy.env,
    ...oneProductType,
    SCHEDULE_FUNDING_ASSETS: "*/2 * * * * *",
    LOG_LEVEL: "debug",
  });
  const names = ["spot-assets", "positions", "funding-assets"];
  await Promise.all(names.map((name) => nextRun(daemon, name, "failed", 0)));
  await bench.run(["status"]);

  const failures = bench.rows(
    "select dataset, error_code, error_message from snapshots where state = 'failed' order by 1",
  );
  expect(failures).toMatchObject([
    { dataset: "funding-assets", error_code: "40009", error_message: expect.stringContaining("[secret]") },
    { dataset: "positions", error_code: "[secret]", error_message: expect.stringContaining("[secret]") },
    {
      dataset: "spot-assets",
      error_code: "40034",
      error_message: expect.stringContaining('"no [secret], [secret], [secret]'),
    },
  ]);
  const signature = proxy.requestsTo(funding)[0]?.headers["access-sign"];
  expect(JSON.stringify(failures) + daemon.output().stderr).not.toContain(signature);
});
