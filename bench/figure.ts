/** What a figure is. Nothing here passes or fails: every value stands beside another of the same run. */

export type Unit = "bytes" | "ms" | "MiB";

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
  run(): Promise<Comparison[]>;
}

export const compare = (what: string, value: number, unit: Unit, other: string, otherValue: number): Comparison => ({
  what,
  value,
  unit,
  beside: { what: other, value: otherValue },
});

/** The middle one: a machine that is busy for a moment does not move it. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
