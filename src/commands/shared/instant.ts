/** Parses the times that options accept. */

import { UsageError } from "../../core/errors.ts";
import { dayMs, hourMs, minuteMs } from "../../core/time.ts";

const units: Record<string, number> = { s: 1000, m: minuteMs, h: hourMs, d: dayMs, w: 7 * dayMs };
const iso = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:?\d\d)?)?$/i;

/** Returns the date that `today`, `yesterday` or a month such as `2026-11` begins with; another text unchanged. `today` is a date. */
export function dateOf(text: string, today: string): string {
  if (text === "today") return today;
  if (text === "yesterday") return new Date(Date.parse(`${today}T00:00:00Z`) - dayMs).toISOString().slice(0, 10);
  return /^\d{4}-\d\d$/.test(text) ? `${text}-01` : text;
}

/**
 * Returns epoch ms for `now`, a time before it (`-30m`, `-1h`, `-7d`, `-1w`) or ISO 8601. Without an offset ISO 8601 is UTC; a date alone is
 * its midnight, as are `today`, `yesterday` and a month (`2026-11`), its first.
 * @throws UsageError naming the option
 */
export function parseInstant(option: string, text: string, now: number): number {
  if (text === "now") return now;
  const [, count, unit = ""] = /^-(\d{1,9})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined) return now - Number.parseInt(count, 10) * (units[unit] ?? 0);
  const [, date, time = "00:00", zone = "Z"] = iso.exec(dateOf(text, new Date(now).toISOString().slice(0, 10))) ?? [];
  const instant = Date.parse(`${date}T${time}${zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2").toUpperCase()}`);
  // Date.parse reads 30 February as 1 or 2 March.
  if (Number.isNaN(instant) || !new Date(`${date}T00:00:00Z`).toISOString().startsWith(String(date)))
    throw new UsageError(
      `${option} "${text}" is not a valid time; use 2026-11-01, 2026-11, 2026-11-01T12:30:00Z, now, today, yesterday, -1h, -7d or -1w`,
    );
  return instant;
}
