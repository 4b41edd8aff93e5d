/** Names of time zones, judged by the calendar that works with them: what is accepted here fails nowhere later. */
import { Temporal } from "temporal-polyfill";

/** Returns whether the calendar knows the name. Offsets such as `+02:00` are refused: they have no daylight saving. */
export function isTimezone(text: string): boolean {
  try {
    return /^[a-z]/i.test(text) && Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text) !== null;
  } catch {
    return false;
  }
}

/**
 * Returns what is wrong with a name as the end of a sentence that begins with where it stands (`TIMEZONE is "JST", …`);
 * null for a good one.
 */
export function timezoneProblem(text: string): string | null {
  if (isTimezone(text)) return null;
  const meant = /^[a-z]{3}$/i.test(text) ? placeOf(text) : null;
  const shown = `is "${text.slice(0, 40)}"`;
  if (meant === null) return `${shown}; it must be the name of a time zone, as in Europe/Berlin or UTC`;
  return `${shown}, an abbreviation that means several time zones; use ${meant} if that is meant, else another full name such as Europe/Berlin`;
}

/** Returns the full name that Node.js takes an abbreviation for (`JST`: Asia/Tokyo); null for what is none. */
function placeOf(abbreviation: string): string | null {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: abbreviation }).resolvedOptions();
    return isTimezone(timeZone) ? timeZone : null;
  } catch {
    return null;
  }
}
