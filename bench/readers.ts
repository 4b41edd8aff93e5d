/** Measures how long the collector waits for its commits while 200 readers use the dashboard. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createLog } from "../src/core/log.ts";
import { minuteMs } from "../src/core/time.ts";
import { setup as build } from "../test/support/build.ts";
import type { Visits } from "./children/readers.ts";
import { type Comparison, compare, type Figure, percentile } from "./figure.ts";
import { newFolder } from "./folder.ts";
import { type History, startHistory } from "./history.ts";

const days = { whole: 365, quick: 31 };
const seconds = 30;
const everyMs = 50;

export const readers: Figure = {
  name: "readers",
  summary: `storing minutes while 200 readers use the dashboard, with a history of ${days.whole} days (--quick: ${days.quick})`,
  async run({ quick }) {
    build();
    const folder = newFolder();
    const minutes = (quick ? days.quick : days.whole) * 1440;
    // The pages show the present, which is the end of the history.
    const now = Date.now();
    const history = await startHistory(folder, now - (now % minuteMs) - minutes * minuteMs);
    try {
      await history.growAlone(minutes);
      return await measure(history);
    } finally {
      await history.close();
      rmSync(folder, { recursive: true });
    }
  },
};

async function measure(history: History): Promise<Comparison[]> {
  const alone = await storeFor(history);
  const { url, close } = await servePages(history.path);
  const crowd = fork(join(import.meta.dirname, "children", "readers.ts"), [url], { execArgv: ["--import", "tsx"] });
  await once(crowd, "message");
  const withReaders = await storeFor(history);
  const reply = once(crowd, "message");
  crowd.send("report");
  const [{ durations, alone: pages, statuses, bytes }] = (await reply) as [Visits];
  crowd.kill();
  await close();
  console.error(`readers: ${JSON.stringify(statuses)}, ${Math.round(bytes / 2 ** 20)} MiB in ${seconds} s`);
  const slowest = pages.toSorted(([, one], [, other]) => other - one);
  for (const [path, ms] of slowest.slice(0, 10)) console.error(`readers: ${Math.round(ms)} ms alone: ${path}`);
  const times = pages.map(([, ms]) => ms);
  const what = "storing a minute with 200 readers";
  return [
    compare(`${what}, 95th percentile`, percentile(withReaders, 95), "ms", "alone", percentile(alone, 95)),
    compare(`${what}, longest`, Math.max(...withReaders), "ms", "alone", Math.max(...alone)),
    compare(
      "a page for a reader, median",
      percentile(durations, 50),
      "ms",
      "95th percentile",
      percentile(durations, 95),
    ),
    compare("the slowest page alone", Math.max(...times), "ms", "the median page", percentile(times, 50)),
  ];
}

/** Returns the milliseconds to store each minute: its slots are claimed in one commit, their runs ended in another. */
async function storeFor(history: History): Promise<number[]> {
  const durations: number[] = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(everyMs)) {
    const startedAt = performance.now();
    await history.collectMinute();
    durations.push(performance.now() - startedAt);
  }
  return durations;
}

/** Starts the dashboard process of the built program, as the daemon does. */
async function servePages(databasePath: string): Promise<{ url: string; close(): Promise<void> }> {
  const built = resolve("dist/web/process/process.js");
  const { DashboardProcess } = (await import(built)) as typeof import("../src/web/process/process.ts");
  let resolveUrl: (url: string) => void = () => {};
  const listening = new Promise<string>((done) => {
    resolveUrl = done;
  });
  const write = (line: string) => {
    const { url, msg } = JSON.parse(line) as { url?: string; msg: string };
    if (url) resolveUrl(url);
    else console.error(`readers: ${msg}`);
  };
  const pages = new DashboardProcess({
    site: { databasePath, timezone: "UTC", sqlTimeoutSeconds: 10 },
    http: { host: "127.0.0.1", port: 0, token: null, names: [] },
    log: createLog({ level: "info", format: "json", secrets: [], write }),
  });
  pages.start(
    async () => "",
    () => "",
  );
  return { url: await listening, close: () => pages.stop() };
}
