/** How alerts speak: of figures, of names that come from outside, and in whole sentences. */
import { multiply, truncate } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { durationText, escapeControlChars } from "../core/text.ts";
import type { AlertState, OpenAlert } from "../store/alerts/alert-store.ts";
import type { Measurement } from "./rules.ts";

/** Longer names than any the exchange has are cut. Characters. */
const maxNameChars = 40;

/** A name from the exchange as a part of one line. */
export const nameText = (name: unknown): string => escapeControlChars(String(name)).slice(0, maxNameChars);

/** "A, B, C and 4 more": so many names as one line has room for. */
export function coinsText(coins: readonly string[]): string {
  const shown = coins.slice(0, 3).map(nameText).join(", ");
  return coins.length > 3 ? `${shown} and ${coins.length - 3} more` : shown;
}

/** 0.12345 is "12.34 %": cut after the second place. */
export const percentText = (share: DecimalString): string => `${truncate(multiply(share, "100"), 2)} %`;

export const instantText = (at: number): string => new Date(at).toISOString();

const prefixes: Record<AlertState, string> = { fired: "Alert", recovered: "Recovered", closed: "Closed" };

/** "Alert: main: BTCUSDT long (crossed, USDT, umcbl) is 4.87 % from its liquidation at 59000 (mark 62010.1); the limit is 5 %." */
export function sentenceOf(state: "fired" | "recovered", reading: Measurement): string {
  const { kind, account, what, how, threshold } = reading;
  const limit =
    threshold === null ? "" : kind === "stale" ? durationText(Number(threshold) * 1000) : percentText(threshold);
  return `${prefixes[state]}: ${account}: ${what} ${how}${limit && `; the limit is ${limit}`}.`;
}

/** Of an alert whose thing is gone. */
export const closingOf = ({ account, what, firedAt }: OpenAlert): string =>
  `${prefixes.closed}: ${account}: ${what} is no longer there; its alert of ${instantText(firedAt)} is over.`;
