/** Reads the daemon's runs from its log, and names the endpoints used by the rows about the exchange. */
import type { Running } from "../support/program.ts";
import { seconds } from "../support/wait.ts";

export const spot = "/api/v2/spot/account/assets";
export const funding = "/api/v2/account/funding-assets";
export const futures = "/api/v2/mix/account/accounts";
export const positions = "/api/v2/mix/position/all-position";
export const tickers = "/api/v2/spot/market/tickers";
export const serverTime = "/api/v2/public/time";

/** Limits futures datasets to one request each. */
export const oneProductType = { BITGET_PRODUCT_TYPES: "umcbl" };

/** A finished run as logged. */
export interface Run {
  dataset: string;
  slot: string;
  state: string;
  requests: number;
  retries: number;
  /** How many of the requests were refused by a rate limit. */
  rateLimited: number;
  /** `CODE message` for each kind of failure. */
  failed?: string[];
}

/** Returns the finished runs of a dataset so far. */
export function runsOf(running: Running, dataset: string): Run[] {
  const lines = running.output().stderr.split("\n").slice(0, -1);
  return lines
    .filter((line) => line.includes(`"dataset":"${dataset}","slot":`))
    .map((line) => JSON.parse(line) as Run)
    .filter((run) => run.dataset === dataset);
}

/** Waits for the next finished run of a dataset after the first `count` (default: all so far), in the given state if any. */
export async function nextRun(running: Running, dataset: string, state?: string, count?: number): Promise<Run> {
  const before = count ?? runsOf(running, dataset).length;
  for (;;) {
    const ended = runsOf(running, dataset).slice(before);
    const run = ended.find((one) => state === undefined || one.state === state);
    if (run) return run;
    if (running.child.exitCode !== null) throw new Error(`ended before ${dataset} did\n${running.output().stderr}`);
    await seconds(0.01);
  }
}

/**
 * Returns a schedule with the given period (seconds, a divisor of 60) whose next slot is about three seconds away, so
 * that a daemon started now runs soon and has a whole period for it.
 */
export function soon(period: number): string {
  const first = Math.ceil(Date.now() / 1000 + 3) % period;
  const all = Array.from({ length: 60 / period }, (_, index) => first + index * period);
  return `${all.join(",")} * * * * *`;
}

/** Returns the intervals between consecutive entries, ms. */
export const between = (all: readonly { at: number }[]): number[] =>
  all.slice(1).map(({ at }, before) => at - (all[before]?.at ?? at));
