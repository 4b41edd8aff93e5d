/** Local days and months, found by asking what the date is every half hour. */

const step = 30 * 60_000;

export interface Period {
  name: string;
  from: number;
  to: number;
}

/** The whole days (`2026-11-01`) or months (`2026-11`) of a zone that have a part in a stretch of time. */
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
