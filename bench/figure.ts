/** The type of a figure. Nothing passes or fails: every value is compared with a baseline of the same run. */

export type Unit = "bytes" | "ms" | "MiB" | "rows/s" | "%" | "runs" | "requests";

/** One line of the table. */
export interface Comparison {
  what: string;
  value: number;
  unit: Unit;
  baseline: { what: string; value: number };
}

export interface Figure {
  name: string;
  summary: string;
  /** `quick`: with less data, for figures that take minutes. */
  run(options: { quick: boolean }): Promise<Comparison[]>;
}

export const compare = (
  what: string,
  value: number,
  unit: Unit,
  baseline: string,
  baselineValue: number,
): Comparison => ({
  what,
  value,
  unit,
  baseline: { what: baseline, value: baselineValue },
});

/** Returns the median, which is robust against a machine that is busy for a moment; NaN for an empty list. */
export const median = (values: readonly number[]): number => percentile(values, 50);

/** Returns the given percentile; NaN for an empty list. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor((sorted.length * percent) / 100), sorted.length - 1)] ?? Number.NaN;
}

/** Returns the milliseconds that an action took. */
export function timed(action: () => unknown): number {
  const startedAt = performance.now();
  action();
  return performance.now() - startedAt;
}
