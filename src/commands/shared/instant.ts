/** Parses the times that options accept. */

import { UsageError } from "../../core/errors.ts";
import { dayMs, hourMs, minuteMs } from "../../core/time.ts";
import { localInstant, localText, startOfDate } from "../../queries/periods.ts";
import { timezoneProblem } from "../../settings/timezone.ts";
import type { CommandInput } from "../command.ts";
import { didYouMean } from "../terminal/suggest.ts";

const units: Record<string, number> = { s: 1000, m: minuteMs, h: hourMs, d: dayMs, w: 7 * dayMs };
const iso = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:?\d\d)?)?$/i;

/** Returns the date that `today`, `yesterday` or a month such as `2026-11` begins with; another text unchanged. `today` is a date. */
export function dateOf(text: string, today: string): string {
  if (text === "today") return today;
  if (text === "yesterday") return new Date(Date.parse(`${today}T00:00:00Z`) - dayMs).toISOString().slice(0, 10);
  return /^\d{4}-\d\d$/.test(text) ? `${text}-01` : text;
}

/**
 * Returns epoch ms for `now`, a time before it (`-30m`, `-1h`, `-7d`, `-1w`) or ISO 8601. Without an offset ISO 8601 is local time; a date
 * alone is its beginning, as are `today`, `yesterday` and a month (`2026-11`), its first.
 * @throws UsageError naming the option
 */
export function parseInstant(option: string, text: string, now: number, timezone = "UTC"): number {
  if (text === "now") return now;
  const [, count, unit = ""] = /^-(\d{1,9})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined) return now - Number.parseInt(count, 10) * (units[unit] ?? 0);
  const [, date, time, zone] = iso.exec(dateOf(text, localText(now, timezone).slice(0, 10))) ?? [];
  const instant = date === undefined ? null : instantOf(date, time, zone, timezone);
  if (instant === null)
    throw new UsageError(
      `${option} "${text}" is not a valid time; use 2026-11-01, 2026-11, 2026-11-01T12:30:00Z, now, today, yesterday, -1h, -7d or -1w`,
    );
  return instant;
}

function instantOf(date: string, time: string | undefined, zone: string | undefined, timezone: string): number | null {
  // Not all days begin at midnight.
  if (time === undefined) return startOfDate(date, timezone);
  if (zone === undefined) return localInstant(`${date}T${time}`, timezone);
  const isDate = startOfDate(date, "UTC") !== null;
  const instant = Date.parse(`${date}T${time}${zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2").toUpperCase()}`);
  return isDate && !Number.isNaN(instant) ? instant : null;
}

export const timezoneOption = {
  flags: "--timezone <name>",
  summary: "time zone of dates in options and of times in tables, such as Europe/Berlin (default: UTC)",
};

/** Returns the value of --timezone. @throws UsageError for an unknown one, with the name that was probably meant */
export function requireTimezone(text: string): string {
  const problem = timezoneProblem(text);
  if (problem === null) return text;
  // The name of an abbreviation is a part of the problem.
  const suggested = text.length > 3 ? didYouMean(text, Intl.supportedValuesOf("timeZone")) : "";
  throw new UsageError(`--timezone ${problem}${suggested && `; ${suggested}`}`);
}

/** Reads the times of options, and shows times, in the time zone of --timezone. */
export class Times {
  /** Epoch ms. */
  readonly now: number;
  readonly timezone: string;
  readonly #options: CommandInput["options"];

  /** @throws UsageError for an unknown time zone */
  constructor(options: CommandInput["options"], now = Date.now()) {
    this.now = now;
    this.timezone = requireTimezone(String(options.timezone ?? "UTC"));
    this.#options = options;
  }

  /** Returns the instant of an option, such as `from`; `otherwise` if it is not given. Epoch ms. @throws UsageError */
  instant(name: string, otherwise: number): number {
    const text = this.#options[name];
    return typeof text === "string" ? parseInstant(`--${name}`, text, this.now, this.timezone) : otherwise;
  }

  /** Returns the time of --from and --to; without them from 0 to the largest integer. @throws UsageError where it is empty */
  span(): { from: number; to: number } {
    const [from, to] = [this.instant("from", 0), this.instant("to", Number.MAX_SAFE_INTEGER)];
    if (from >= to) throw new UsageError("--to is not after --from, and the time of --to is excluded");
    return { from, to };
  }

  /** Returns a time (epoch ms) such as "2026-11-22 15:34:45". */
  text(at: number): string {
    return localText(at, this.timezone);
  }
}
