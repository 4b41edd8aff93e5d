/** Row E25: answers that are too large for us, in every way an answer can be. */
import { existsSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { createGzip } from "node:zlib";
import { expect } from "vitest";
import type { Running } from "../support/program.ts";
import { until } from "../support/wait.ts";
import { preload } from "./preload.ts";
import { startProxy, whole } from "./proxy.ts";
import { type Bench, row, rowElsewhere } from "./row.ts";
import { funding, futures, nextRun, oneLine, positions, spot, tickers } from "./runs.ts";

const megabyte = 1_000_000;

const fault = "50 MB, a gzip bomb of 400 MB, headers of 20 kB, 200,000 rows";
if (existsSync("/proc/self/status")) row("E25", fault, { always: true, within: 40 }, tooLarge);
else rowElsewhere("E25", fault, "the memory of another process is read from /proc");

async function tooLarge(bench: Bench): Promise<void> {
  const proxy = await startProxy(bench);
  const hooks = preload(bench);
  const bomb = await zeros(400);

  const every = "*/2 * * * * *";
  const daemon = await bench.start({
    ...proxy.env,
    ...oneLine,
    ...hooks.env,
    SCHEDULE_FUNDING_ASSETS: every,
    SCHEDULE_MIX_ACCOUNTS: every,
    SCHEDULE_PRICES: every,
  });
  const names = ["spot-assets", "funding-assets", "positions", "mix-accounts", "prices"];
  await Promise.all(names.map((name) => nextRun(daemon, name, "ok", 0)));
  hooks.pull(daemon, "measureWork");
  const before = peakMemory(daemon);
  proxy.always(spot, (response) => send(response, 50));
  proxy.always(funding, whole(bomb, { headers: { "content-encoding": "gzip" } }));
  proxy.always(positions, whole("{}", { headers: { "x-odd": "x".repeat(20_000) } }));
  proxy.always(futures, whole(manyRows(200_000)));
  // In as few bytes as are let through.
  proxy.always(tickers, whole(manyRows(40_000)));
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
  expect(after - before).toBeLessThan(60 * megabyte);
  await until(() => hooks.told() !== null);
  expect(Number(hooks.told())).toBeLessThan(200);
}

/** Peak of the memory a process ever had, bytes. */
function peakMemory({ child }: Running): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

/** So many megabytes of zeros, packed. */
async function zeros(megabytes: number): Promise<Buffer> {
  const gzip = createGzip();
  const packed = buffer(gzip);
  const piece = Buffer.alloc(megabyte);
  for (let n = 0; n < megabytes; n++)
    if (!gzip.write(piece)) await new Promise((resolve) => gzip.once("drain", resolve));
  gzip.end();
  return packed;
}

/** JSON of so many megabytes, for as long as somebody reads it. */
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

/** A good answer of futures accounts, all of them different. */
const manyRows = (count: number): string =>
  JSON.stringify({
    code: "00000",
    data: Array.from({ length: count }, (_, n) => ({ marginCoin: `C${n}`, available: "1" })),
  });
