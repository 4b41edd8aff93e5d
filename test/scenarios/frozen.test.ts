/** One dataset gets no responses: the daemon's health reports it while the others continue, and its recovery. */
import { expect, it, onTestFinished } from "vitest";
import { startExchange } from "../support/exchange.ts";
import { temporaryFolder } from "../support/files.ts";
import { fetchOnce } from "../support/http.ts";
import { start } from "../support/program.ts";
import { classic, credentials, everyDataset } from "../support/settings.ts";
import { seconds, until } from "../support/wait.ts";

const period = 2000;

it("/healthz fails two periods after a dataset's last response, names it, and recovers", async () => {
  const exchange = await startExchange({ accounts: [classic] });
  onTestFinished(() => exchange.close());
  const daemon = start(["start"], temporaryFolder(), {
    ...credentials(classic),
    BITGET_BASE_URL: exchange.url,
    ...everyDataset("*/2 * * * * *"),
    HTTP_PORT: "0",
  });
  await daemon.printed("dashboard:");
  const url = /dashboard: the pages are at (http:\/\/127\.0\.0\.1:\d+\/)/.exec(daemon.output().stderr)?.[1] ?? "";
  const health = async () => {
    const response = await fetchOnce(`${url}healthz`);
    return {
      code: response.status,
      ...((await response.json()) as { status: string; stale: Record<string, string>[] }),
    };
  };
  const turned = async (code: number) => {
    for (;;) {
      const now = await health();
      await seconds(0.1);
      if (now.code === code) return now;
    }
  };
  const ends = (dataset: string) => daemon.output().stderr.split(`"dataset":"${dataset}","slot":`).length - 1;
  await until(() => ends("funding-assets") > 1);
  await turned(200);

  exchange.injectFault({ path: "/api/v2/account/funding-assets", hang: true, times: 3 });
  const red = await turned(503);
  const [frozen] = red.stale;
  expect(red).toMatchObject({ status: "stale", stale: [{ account: "main", dataset: "funding-assets" }] });
  expect(Date.parse(frozen?.since ?? "") - Date.parse(frozen?.lastOk ?? "")).toBe(2 * period);

  const others = ["spot-assets", "mix-accounts", "positions", "prices"];
  const before = others.map(ends);
  await until(() => others.every((dataset, n) => ends(dataset) > (before[n] ?? 0)));
  const metrics = await (await fetchOnce(`${url}metrics`)).text();
  expect(metrics).toMatch(/^bitget_collector_fresh\{account="main",dataset="funding-assets"\} 0$/m);
  expect(metrics).toMatch(/^bitget_collector_fresh\{account="main",dataset="positions"\} 1$/m);

  expect((await turned(200)).stale).toEqual([]);
});
