/** What a figure is. Nothing here passes or fails: every value stands beside another of the same run. */

export type Unit = "bytes" | "ms" | "MiB" | "rows/s";

/** One line of the table. */
export interface Comparison {
  what: string;
  value: number;
  unit: Unit;
  beside: { what: string; value: number };
}

export interface Figure {
  name: string;
  summary: string;
  /** `quick`: on less data, where that takes minutes. */
  run(options: { quick: boolean }): Promise<Comparison[]>;
}

export const compare = (what: string, value: number, unit: Unit, other: string, otherValue: number): Comparison => ({
  what,
  value,
  unit,
  beside: { what: other, value: otherValue },
});

/** The middle one: a machine that is busy for a moment does not move it. NaN of nothing. */
export const median = (values: readonly number[]): number => percentile(values, 50);

/** The value that so many of a hundred stay below. NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor((sorted.length * percent) / 100), sorted.length - 1)] ?? Number.NaN;
}

/** Milliseconds that something took. */
export function timed(action: () => unknown): number {
  const startedAt = performance.now();
  action();
  return performance.now() - startedAt;
}
