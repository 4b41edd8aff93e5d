/** Builds the texts of alerts: numbers, names that come from the exchange, and sentences. */
import { multiply, truncate } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { durationText, escapeControlChars } from "../core/text.ts";
import type { AlertState, OpenAlert } from "../store/alerts/alert-store.ts";
import type { Measurement } from "./rules.ts";

/** Longer names are cut; those of the exchange are shorter. Characters. */
const maxNameChars = 40;

/** Returns a name from the exchange as a part of one line, with control characters escaped. */
export const nameText = (name: unknown): string => escapeControlChars(String(name)).slice(0, maxNameChars);

/** Returns "A, B, C and 4 more": at most three names. */
export function coinsText(coins: readonly string[]): string {
  const shown = coins.slice(0, 3).map(nameText).join(", ");
  return coins.length > 3 ? `${shown} and ${coins.length - 3} more` : shown;
}

/** Returns "12.34 %" for 0.12345: truncated after the second decimal place. */
export const percentText = (share: DecimalString): string => `${truncate(multiply(share, "100"), 2)} %`;

export const instantText = (at: number): string => new Date(at).toISOString();

const prefixes: Record<AlertState, string> = { fired: "Alert", recovered: "Recovered", closed: "Closed" };

/**
 * Returns the sentence of a notification, such as "Alert: main: BTCUSDT long (crossed, USDT, umcbl) is 4.87 % from its liquidation at
 * 59000 (mark 62010.1); the limit is 5 %."
 */
export function sentenceOf(state: "fired" | "recovered", measurement: Measurement): string {
  const { kind, account, what, how, threshold } = measurement;
  const limit =
    threshold === null ? "" : kind === "stale" ? durationText(Number(threshold) * 1000) : percentText(threshold);
  return `${prefixes[state]}: ${account}: ${what} ${how}${limit && `; the limit is ${limit}`}.`;
}

/** Returns the sentence of a notification about an alert whose subject is no longer listed or collected. */
export const closingOf = ({ account, what, firedAt }: OpenAlert): string =>
  `${prefixes.closed}: ${account}: ${what} is no longer listed; its alert of ${instantText(firedAt)} is closed.`;
