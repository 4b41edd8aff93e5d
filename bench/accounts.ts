import { monitorEventLoopDelay } from "node:perf_hooks";
import { datasetNames } from "../src/datasets/index.ts";
import { scheduleSetting } from "../src/settings/config.ts";
import { type Collector, startCollector } from "./collector.ts";
import { type Comparison, compare, type Figure, median } from "./figure.ts";

/** From slot to slot: no run is cut because this machine is slow. */
const minutes = 10;

/** With one product line an account asks five times a cycle: a thousand of them stay within the 6,000 requests a minute. */
const settings = {
  ...Object.fromEntries(datasetNames.map((name) => [scheduleSetting(name), `*/${minutes} * * * *`])),
  BITGET_PRODUCT_TYPES: "umcbl",
  HEARTBEAT_URL: "http://127.0.0.1:9/",
  KEEP_RAW_DAYS: "1",
  RUN_DEADLINE_SECONDS: "600",
};

export const accounts: Figure = {
  name: "accounts",
  summary: "what a cycle costs for each account, with 10, 100 and 1,000 of them",
  async run({ quick }) {
    const counts = quick ? [10, 100] : [10, 100, 1000];
    const costs: Cost[] = [];
    for (const count of counts) costs.push(await measure(count, quick ? 4 : 6));
    const [few, ...more] = costs;
    if (!few) return [];
    const beside = `the same with ${few.count}`;
    return more.flatMap(({ count, cpuMs, blockedMs }): Comparison[] => [
      compare(`CPU of a cycle for each of ${count} accounts`, cpuMs, "ms", beside, few.cpuMs),
      compare(`longest pause of the event loop, ${count} accounts`, blockedMs, "ms", beside, few.blockedMs),
    ]);
  },
};

interface Cost {
  count: number;
  /** For each account: median over the cycles of user and system time, of every thread of this process. */
  cpuMs: number;
  /** Median over the cycles. */
  blockedMs: number;
}

/** The first two cycles are left out: they write the first row of everything. */
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
