/** Row E25: responses that are too large in every way. */
import { existsSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { createGzip } from "node:zlib";
import { expect } from "vitest";
import type { Running } from "../support/program.ts";
import { until } from "../support/wait.ts";
import { preload } from "./preload.ts";
import { startProxy, whole } from "./relay.ts";
import { type Bench, row, rowElsewhere } from "./row.ts";
import { funding, futures, nextRun, oneProductType, positions, spot, tickers } from "./runs.ts";

const megabyte = 1_000_000;

const fault = "50 MB, a gzip bomb of 400 MB, headers of 20 kB, 200,000 rows";
if (existsSync("/proc/self/status")) row("E25", fault, { inEveryRun: true, timeoutSeconds: 40 }, tooLarge);
else rowElsewhere("E25", fault, "the memory of another process is read from /proc");

async function tooLarge(bench: Bench): Promise<void> {
  const proxy = await startProxy(bench);
  const hooks = preload(bench);
  const bomb = await zeros(400);
  const long = manyRows(200_000, 200);
  // In no more bytes than the limit allows.
  const short = manyRows(40_000);

  const every = "*/5 * * * * *";
  const daemon = await bench.start({
    ...proxy.env,
    ...oneProductType,
    ...hooks.env,
    SCHEDULE_SPOT_ASSETS: every,
    SCHEDULE_POSITIONS: every,
    SCHEDULE_FUNDING_ASSETS: every,
    SCHEDULE_MIX_ACCOUNTS: every,
    SCHEDULE_PRICES: every,
  });
  const names = ["spot-assets", "funding-assets", "positions", "mix-accounts", "prices"];
  await Promise.all(names.map((name) => nextRun(daemon, name, "ok", 0)));
  hooks.runHook(daemon, "measureWork");
  const before = peakMemory(daemon);
  proxy.always(spot, (response) => send(response, 50));
  proxy.always(funding, whole(bomb, { headers: { "content-encoding": "gzip" } }));
  proxy.always(positions, whole("{}", { headers: { "x-odd": "x".repeat(20_000) } }));
  proxy.always(futures, whole(long));
  proxy.always(tickers, whole(short));
  await Promise.all(names.map((name) => nextRun(daemon, name, "failed")));
  const after = peakMemory(daemon);
  proxy.clear();
  await Promise.all(names.map((name) => nextRun(daemon, name, "ok")));
  await bench.stop(daemon);

  const failed =
    "select dataset, error_code as code, count(*) > 0 as some from snapshots where state = 'failed' group by 1, 2";
  expect(bench.rows(failed)).toEqual(names.toSorted().map((dataset) => ({ dataset, code: "too_large", some: 1 })));
  expect(bench.rows("select distinct requests, retries from runs where state = 'failed'")).toEqual([
    { requests: 1, retries: 0 },
  ]);
  expect(after - before).toBeLessThan(100 * megabyte);
  await until(() => hooks.result() !== null);
  expect(Number(hooks.result())).toBeLessThan(10);
}

/** Returns the peak memory of a process, bytes. */
function peakMemory({ child }: Running): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

/** Returns the given number of megabytes of zeros, compressed. */
async function zeros(megabytes: number): Promise<Buffer> {
  const gzip = createGzip();
  const packed = buffer(gzip);
  const piece = Buffer.alloc(megabyte);
  for (let n = 0; n < megabytes; n++)
    if (!gzip.write(piece)) await new Promise((resolve) => gzip.once("drain", resolve));
  gzip.end();
  return packed;
}

/** Sends JSON of the given megabytes until the reader stops. */
function send(response: ServerResponse, megabytes: number): void {
  response.writeHead(200, { "content-type": "application/json" });
  const piece = `${" ".repeat(megabyte - 2)}1,`;
  let left = megabytes;
  const more = () => {
    for (; left > 0; left -= 1) if (!response.write(piece)) break;
    if (left === 0) response.end("1]}");
  };
  response.write('{"code":"00000","data":[');
  response.on("drain", more);
  more();
}

/** Returns a valid response with many different futures accounts, each longer by the given number of bytes. */
function manyRows(count: number, longer = 0): Buffer {
  const odd = "x".repeat(longer);
  const data = Array.from({ length: count }, (_, n) => ({ marginCoin: `C${n}`, available: "1", odd }));
  return Buffer.from(JSON.stringify({ code: "00000", data }));
}
