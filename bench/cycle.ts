import { type DatasetName, newTally } from "../src/core/domain.ts";
import { type Collector, startCollector } from "./collector.ts";
import { compare, type Figure, median } from "./figure.ts";

const latencyMs = 50;

export const cycle: Figure = {
  name: "cycle",
  summary: "one cycle of all six datasets of a classic account, the exchange in another process",
  async run() {
    const near = await startCollector(0);
    await measure(near, 100, near.cycle);
    const full = await measure(near, 300, near.cycle);
    const requests = await measure(near, 300, () => atOnce(near));
    await near.close();

    const far = await startCollector(latencyMs);
    await measure(far, 5, far.cycle);
    const whole = await measure(far, 30, far.cycle);
    const links = [...callsOf(far, "spot-assets"), ...callsOf(far, "prices")];
    const chain = await measure(far, 10, () => oneByOne(links));
    const single = await measure(far, 10, () => oneByOne(callsOf(far)));
    await far.close();

    const calls = "its requests only, all at once, responses discarded";
    const at = `cycle at ${latencyMs} ms of latency`;
    return [
      compare("cycle without latency", full.ms, "ms", calls, requests.ms),
      compare("CPU of that cycle", full.cpuMs, "ms", calls, requests.cpuMs),
      compare(at, whole.ms, "ms", "the latency", latencyMs),
      compare(at, whole.ms, "ms", "its longest chain, balances → prices", chain.ms),
      compare(at, whole.ms, "ms", `its ${whole.requests} requests one by one`, single.ms),
    ];
  },
};

interface Cost {
  /** Median of the elapsed time. */
  ms: number;
  /** Mean of the user and system time of all threads of this process. */
  cpuMs: number;
  requests: number;
}

/** Measures an action, each time in a minute of its own, so that rate limits cause no delays. */
async function measure(collector: Collector, times: number, action: () => Promise<void>): Promise<Cost> {
  const durations: number[] = [];
  let cpu = 0;
  const before = await collector.requests();
  for (let count = 0; count < times; count += 1) {
    await collector.forward();
    const usage = process.cpuUsage();
    const startedAt = performance.now();
    await action();
    durations.push(performance.now() - startedAt);
    const { user, system } = process.cpuUsage(usage);
    cpu += (user + system) / 1000;
  }
  const requests = ((await collector.requests()) - before) / times;
  return { ms: median(durations), cpuMs: cpu / times, requests };
}

/** Returns the requests of a cycle, of one dataset or of all: signed, rate-limited, sent, and the response parsed as JSON; nothing else. */
function callsOf({ app }: Collector, name?: DatasetName): (() => Promise<unknown>)[] {
  const { sessions, publicSession, deps } = app;
  const options = { signal: deps.stopping, tally: newTally() };
  return deps.datasets.flatMap((dataset) => {
    const session = dataset.public ? publicSession : sessions[0];
    const endpoint = dataset.mode === "snapshot" ? dataset.sources.v2 : undefined;
    const address = endpoint?.endpoint;
    if (!session || !endpoint || !address || (name && dataset.name !== name)) return [];
    return endpoint
      .scopes(deps.productTypes)
      .map((scope) => () => session.client.get(address, endpoint.params(scope), options));
  });
}

async function atOnce(collector: Collector): Promise<void> {
  await Promise.all(callsOf(collector).map((send) => send()));
}

async function oneByOne(calls: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const send of calls) await send();
}
