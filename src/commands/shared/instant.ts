/** Instants as people write them. */

import { UsageError } from "../../core/errors.ts";
import { dayMs, hourMs, minuteMs } from "../../core/time.ts";

const units: Record<string, number> = { s: 1000, m: minuteMs, h: hourMs, d: dayMs, w: 7 * dayMs };
const iso = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:?\d\d)?)?$/i;

/**
 * Epoch ms of `now`, of a time before it (`-30m`, `-1h`, `-7d`), or of ISO 8601; without an offset that is UTC, and a date
 * alone is its midnight.
 * @throws UsageError naming the option
 */
export function parseInstant(option: string, text: string, now: number): number {
  if (text === "now") return now;
  const [, count, unit = ""] = /^-(\d{1,9})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined) return now - Number.parseInt(count, 10) * (units[unit] ?? 0);
  const [, date, time = "00:00", zone = "Z"] = iso.exec(text) ?? [];
  const instant = Date.parse(`${date}T${time}${zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2").toUpperCase()}`);
  // The 30th of February would be read as the first days of March.
  if (Number.isNaN(instant) || !new Date(`${date}T00:00:00Z`).toISOString().startsWith(String(date)))
    throw new UsageError(`${option} "${text}" is no instant; write 2026-11-01, 2026-11-01T12:30:00Z, now, -1h or -7d`);
  return instant;
}
