/** Builds the texts of alerts: numbers, names that come from the exchange, and sentences. */
import { multiply, places, truncate } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { durationText, escapeControlChars } from "../core/text.ts";
import { walletLabel } from "../output/labels.ts";
import { type Cut, isStable, shownMoney, shownPercent, shownPrice, shownQuantity } from "../output/shown.ts";
import { localText } from "../queries/periods.ts";
import type { AlertState, Message, OpenAlert } from "../store/alerts/alert-store.ts";
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
const limitText = (share: DecimalString): string => `${truncate(multiply(share, "100"), 2)} %`;

/** Returns a measured share in per cent, cut towards the danger: "12.3 %" for 0.1234, or "12.4 %". */
export const shareText = (share: DecimalString, cut: Cut): string => `${shownPercent(share, cut)} %`;

/** Returns an amount as pages show it: "35,729.49 USDT", "0.15941974 BTC". The history has every digit. */
export const amountText = (digits: DecimalString, coin: string): string =>
  `${isStable(coin) ? shownMoney(digits) : shownQuantity(digits)} ${nameText(coin)}`;

/** Returns a price with the places of the mark price. */
export const priceText = (digits: DecimalString, mark: DecimalString): string => shownPrice(digits, places(mark));

/** Returns a time (epoch ms) in a sentence, such as "2026-11-22 15:34:45 UTC". */
export const timeText = (at: number, timezone = "UTC"): string => `${localText(at, timezone)} ${timezone}`;

/** Matches the times in sentences, also in those of earlier versions, which were ISO 8601. */
const times = /\b(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{3})?)(?:Z\b| UTC\b)/g;

/** Returns how alerts call a position. */
export const positionText = (
  { symbol, hold_side, margin_mode, margin_coin }: NamedPosition,
  product: unknown,
): string =>
  `${nameText(symbol)} ${nameText(hold_side)} (${nameText(margin_mode)}, ${nameText(margin_coin)}, ${product})`;

type NamedPosition = Readonly<Partial<Record<"symbol" | "hold_side" | "margin_mode" | "margin_coin", unknown>>>;

/** Returns how alerts call a futures account. */
export const futuresAccountText = (marginCoin: unknown, product: unknown): string =>
  `futures account in ${nameText(marginCoin)} (${product})`;

export const unifiedAccountText = "unified account";

/** Returns the subject of an alert for display, in which the wallet of a ledger has its label. */
export const shownSubject = ({ kind, what }: Pick<OpenAlert, "kind" | "what">): string =>
  kind === "ledger-break" ? what.replace(/(?<= in )\S+$/, (wallet) => walletLabel(wallet)) : what;

/** Returns the sentence of a notification with its subject for display, and its times in a time zone. */
export const shownSentence = (
  { sentence, ...alert }: Pick<Message, "kind" | "what" | "sentence">,
  timezone: string,
): string =>
  sentence
    .replace(alert.what, () => shownSubject(alert))
    .replace(times, (_, date, time) => timeText(Date.parse(`${date}T${time}Z`), timezone));

const prefixes: Record<AlertState, string> = { fired: "Alert", recovered: "Recovered", closed: "Closed" };

/**
 * Returns the sentence of a notification, such as "Alert: main: BTCUSDT long (crossed, USDT, umcbl) is 4.87 % from its liquidation at
 * 59,000.0 (mark 62,010.1); the limit is 5 %."
 */
export function sentenceOf(state: "fired" | "recovered", measurement: Measurement): string {
  const { kind, account, what, how, threshold } = measurement;
  const limit =
    threshold === null ? "" : kind === "stale" ? durationText(Number(threshold) * 1000) : limitText(threshold);
  return `${prefixes[state]}: ${account}: ${what} ${how}${limit && `; the limit is ${limit}`}.`;
}

/** Returns the sentence of a notification about an alert whose subject is no longer listed or collected. */
export const closingOf = ({ account, what, firedAt }: OpenAlert): string =>
  `${prefixes.closed}: ${account}: ${what} is no longer listed; its alert of ${timeText(firedAt)} is closed.`;
