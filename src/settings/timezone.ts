/** Validates names of time zones with the calendar that uses them, so that an accepted name cannot fail later. */
import { Temporal } from "temporal-polyfill";

/** Returns whether the calendar knows the name; false for offsets such as `+02:00`, which have no daylight saving. */
export function isTimezone(text: string): boolean {
  try {
    return /^[a-z]/i.test(text) && Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text) !== null;
  } catch {
    return false;
  }
}

/**
 * Returns what is wrong with a name, as the end of a sentence that begins with its setting or option (`TIMEZONE is "JST", …`); null for
 * a valid name.
 */
export function timezoneProblem(text: string): string | null {
  if (isTimezone(text)) return null;
  const meant = /^[a-z]{3}$/i.test(text) ? placeOf(text) : null;
  const shown = `is "${text.slice(0, 40)}"`;
  if (meant === null) return `${shown}; it must be the name of a time zone, such as Europe/Berlin or UTC`;
  return `${shown}, an abbreviation of several time zones; use a full name such as ${meant}`;
}

/** Returns the full name that Node.js takes an abbreviation for (`JST`: Asia/Tokyo); null if it knows none. */
function placeOf(abbreviation: string): string | null {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: abbreviation }).resolvedOptions();
    return isTimezone(timeZone) ? timeZone : null;
  } catch {
    return null;
  }
}
