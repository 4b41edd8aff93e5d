import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { everyDataset } from "../test/support/settings.ts";
import type { ManyAccounts } from "./children/many-accounts.ts";
import { type Collector, startCollector } from "./collector.ts";
import { startExchange } from "./exchange.ts";
import { type Comparison, compare, type Figure, median } from "./figure.ts";

/** The time between slots: long enough that no run is aborted on a slow machine. */
const minutes = 10;

/** With one product type, an account sends five requests per cycle: a thousand accounts stay within 6,000 requests a minute. */
const settings = {
  ...everyDataset(`0 */${minutes} * * * *`),
  BITGET_PRODUCT_TYPES: "umcbl",
  HEARTBEAT_URL: "http://127.0.0.1:9/",
  KEEP_RAW_DAYS: "1",
  RUN_DEADLINE_SECONDS: "600",
};

export const accounts: Figure = {
  name: "accounts",
  summary: "the cost of a cycle per account, with 10, 100 and 1,000 accounts",
  async run({ quick }) {
    const counts = quick ? [10, 100] : [10, 100, 1000];
    const costs: Cost[] = [];
    for (const count of counts) costs.push(await measure(count, quick ? 4 : 6));
    const [few, ...more] = costs;
    if (!few) return [];
    const baseline = `the same with ${few.count}`;
    const ofCycles = more.flatMap(({ count, cpuMs, blockedMs }): Comparison[] => [
      compare(`CPU of a cycle for each of ${count} accounts`, cpuMs, "ms", baseline, few.cpuMs),
      compare(`longest pause of the event loop, ${count} accounts`, blockedMs, "ms", baseline, few.blockedMs),
    ]);
    return [...ofCycles, ...(await measureInTime(quick ? 100 : 2000, quick ? 1 : 3))];
  },
};

/** Measures a process that collects every dataset of so many accounts once a minute, by the clock of the machine. */
async function measureInTime(count: number, minutes: number): Promise<Comparison[]> {
  const exchange = await startExchange(null, 0, count);
  const child = fork(
    join(import.meta.dirname, "children", "many-accounts.ts"),
    [exchange.url, count, minutes].map(String),
    {
      execArgv: ["--import", "tsx"],
    },
  );
  const [found]: ManyAccounts[] = await once(child, "message");
  const { limitViolations } = await exchange.status();
  await exchange.close();
  if (!found) throw new Error("the collector ended without a result");
  const { lateMs, longestMs, cpuMs, memoryBytes, states } = found;
  console.error(`slots: ${JSON.stringify(states)}; requests above a limit: ${limitViolations}`);
  const every = `${count} accounts, once a minute`;
  return [
    compare(`from slot to response, 99th percentile: ${every}`, lateMs, "ms", "the longest", longestMs),
    compare(`CPU per minute for each of ${count} accounts`, cpuMs, "ms", "a core, shared by all", 60_000 / count),
    compare(`resident memory: ${every}`, memoryBytes / 2 ** 20, "MiB", "required", 1024),
  ];
}

interface Cost {
  count: number;
  /** User and system time of all threads of this process per account, median over the cycles. */
  cpuMs: number;
  /** The longest event loop delay, median over the cycles. */
  blockedMs: number;
}

/** Measures the cost of a cycle. The first two cycles are omitted: they write the first row of everything. */
async function measure(count: number, cycles: number): Promise<Cost> {
  const collector = await startCollector(0, count, settings);
  const found: { cpuMs: number; blockedMs: number }[] = [];
  for (let done = 0; done < cycles; done += 1) found.push(await cycleOf(collector));
  await collector.close();
  const [, , ...warm] = found;
  return {
    count,
    cpuMs: median(warm.map(({ cpuMs }) => cpuMs)) / count,
    blockedMs: median(warm.map(({ blockedMs }) => blockedMs)),
  };
}

async function cycleOf(collector: Collector): Promise<{ cpuMs: number; blockedMs: number }> {
  await collector.forward(minutes);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const usage = process.cpuUsage();
  await collector.cycle();
  const { user, system } = process.cpuUsage(usage);
  delay.disable();
  return { cpuMs: (user + system) / 1000, blockedMs: delay.max / 1e6 };
}
