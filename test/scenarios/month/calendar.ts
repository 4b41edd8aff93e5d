/** Finds local days and months by formatting the local date every half hour. */

const step = 30 * 60_000;

export interface Period {
  name: string;
  from: number;
  to: number;
}

/** Returns the whole local days (`2026-11-01`) or months (`2026-11`) that overlap a span. */
export function calendar(timezone: string, by: "day" | "month", from: number, to: number): Period[] {
  const format = new Intl.DateTimeFormat("en-CA", { timeZone: timezone, dateStyle: "short" });
  const nameAt = (instant: number) => format.format(instant).slice(0, by === "day" ? 10 : 7);
  const begin = Math.floor(from / step) * step;
  const periods: Period[] = [];
  let start = begin;
  while (nameAt(start - step) === nameAt(begin)) start -= step;
  for (let at = start; start < to; at += step) {
    if (nameAt(at) === nameAt(start)) continue;
    periods.push({ name: nameAt(start), from: start, to: at });
    start = at;
  }
  return periods;
}
