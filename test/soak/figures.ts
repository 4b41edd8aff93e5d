/** The measurements of a soak test, each with its limit. */
import { statSync } from "node:fs";
import Database from "better-sqlite3";
import { percentile } from "../../bench/figure.ts";
import { snapshotNames, viewOf } from "../support/declared.ts";
import type { Sample } from "./daemon.ts";

export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** The highest accepted value; null for a figure without a limit. */
  bar: number | null;
}

const mebibyte = 2 ** 20;

/** `calm` are the samples before the first fault, `calmAgain` those long after the last. */
export function figuresOf(samples: readonly Sample[], calm: readonly Sample[], calmAgain: readonly Sample[]): Figure[] {
  const highest = (of: keyof Sample) => Math.max(...samples.map((one) => one[of]));
  // Between two slots nothing is in flight: takes the lowest of a few samples.
  const lowest = (all: readonly Sample[], of: "descriptors" | "handles") => Math.min(...all.map((one) => one[of]));
  const moved = (of: "descriptors" | "handles") => Math.abs(lowest(calmAgain, of) - lowest(calm, of));
  return [
    { what: "resident memory without garbage, highest", value: highest("rss") / mebibyte, unit: "MiB", bar: 160 },
    { what: "resident memory with it, highest", value: highest("littered") / mebibyte, unit: "MiB", bar: null },
    { what: "growth per 1,000 runs, last half", value: slope(samples) / mebibyte, unit: "MiB", bar: 1 },
    { what: "heap without garbage, highest", value: highest("heap") / mebibyte, unit: "MiB", bar: 30 },
    { what: "descriptors, end beside start", value: moved("descriptors"), unit: "", bar: 2 },
    { what: "handles and sockets, end beside start", value: moved("handles"), unit: "", bar: 2 },
    { what: "child processes", value: highest("children"), unit: "", bar: 0 },
    { what: "event loop delay, p99", value: samples.at(-1)?.p99 ?? Number.NaN, unit: "ms", bar: 50 },
    { what: "event loop delay, longest", value: samples.at(-1)?.max ?? Number.NaN, unit: "ms", bar: 300 },
    { what: "WAL, highest", value: highest("wal") / mebibyte, unit: "MiB", bar: 16 },
  ];
}

/** Returns the slope of resident memory over the last half, bytes per 1,000 runs. */
function slope(samples: readonly Sample[]): number {
  const half = samples.slice(Math.floor(samples.length / 2));
  const mean = (of: (one: Sample) => number) => half.reduce((sum, one) => sum + of(one), 0) / half.length;
  const [runs, rss] = [mean((one) => one.runs), mean((one) => one.rss)];
  const shared = mean((one) => (one.runs - runs) * (one.rss - rss));
  return (1000 * shared) / mean((one) => (one.runs - runs) ** 2);
}

/** Returns figures from the database after the end. */
export function storedFigures(path: string): Figure[] {
  const database = new Database(path, { readonly: true });
  const number = (sql: string): number => Number(database.prepare(sql).pluck().get());
  try {
    const late = database
      .prepare("select late_ms from runs where late_ms is not null and state <> 'missed'")
      .pluck()
      .all() as number[];
    const rows = snapshotNames.reduce((sum, name) => sum + number(`select count(*) from ${viewOf(name)}`), 0);
    const ofState = (state: string) => number(`select count(*) from runs where state = '${state}'`);
    return [
      { what: "lateness of runs, p99", value: percentile(late, 99), unit: "ms", bar: 1000 },
      { what: "lateness of runs, longest", value: Math.max(...late), unit: "ms", bar: 5000 },
      { what: "file size per row", value: statSync(path).size / rows, unit: "bytes", bar: 100 },
      { what: "rows", value: rows, unit: "", bar: null },
      ...["ok", "partial", "failed", "skipped", "missed"].map((state) => ({
        what: `runs ${state}`,
        value: ofState(state),
        unit: "",
        bar: null,
      })),
    ];
  } finally {
    database.close();
  }
}
