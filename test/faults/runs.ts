/** What the daemon says about its runs, and the words in which the rows about the exchange ask for them. */
import type { Running } from "../support/program.ts";
import { seconds } from "../support/wait.ts";

export const spot = "/api/v2/spot/account/assets";
export const funding = "/api/v2/account/funding-assets";
export const futures = "/api/v2/mix/account/accounts";
export const positions = "/api/v2/mix/position/all-position";
export const tickers = "/api/v2/spot/market/tickers";
export const serverTime = "/api/v2/public/time";

/** One product type, so that futures datasets ask once. */
export const oneLine = { BITGET_PRODUCT_TYPES: "umcbl" };

/** A finished run as the log tells it. */
export interface Run {
  dataset: string;
  slot: string;
  state: string;
  requests: number;
  retries: number;
  /** `CODE message`, of each kind of failure. */
  failed?: string[];
}

/** The finished runs of a dataset so far. */
export function runsOf(running: Running, dataset: string): Run[] {
  const lines = running.output().stderr.split("\n").slice(0, -1);
  return lines
    .filter((line) => line.includes(`"dataset":"${dataset}","slot":`))
    .map((line) => JSON.parse(line) as Run)
    .filter((run) => run.dataset === dataset);
}

/** The next run of a dataset that ends from now on, or after `count` others; the first in this state, if given. */
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
 * A schedule of every so many seconds (a divisor of 60) whose next slot is about three seconds away: a daemon that starts
 * now has a run soon, and much time for it.
 */
export function soon(period: number): string {
  const first = Math.ceil(Date.now() / 1000 + 3) % period;
  const all = Array.from({ length: 60 / period }, (_, index) => first + index * period);
  return `${all.join(",")} * * * * *`;
}

/** Milliseconds between one and the next. */
export const between = (all: readonly { at: number }[]): number[] =>
  all.slice(1).map(({ at }, before) => at - (all[before]?.at ?? at));
