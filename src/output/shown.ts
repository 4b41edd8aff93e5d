/**
 * Formats decimals for people: cut to the places of their kind and never rounded up. A figure never looks larger than it is, and what is
 * not zero is never shown as zero. The functions return `digits` unchanged where it is not a plain decimal.
 */
import { absolute, add, compare, isZero, multiply, places, truncate } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";

/** The sign of negative figures on pages and in tables. CSV and JSON have "-". */
const minus = "\u2212";

const moneyPlaces = 2;
const quantityPlaces = 8;
/** Digits of a quantity that is so small that its first eight places show fewer. */
const minDigits = 4;

/** Coins whose amounts are shown as money: fiat, what is worth about one dollar, and those of demo trading. */
const stableCoins = new Set([
  "USDT",
  "USDC",
  "USD",
  "EUR",
  "USDE",
  "DAI",
  "FDUSD",
  "TUSD",
  "BUSD",
  "PYUSD",
  "SUSDT",
  "SUSDC",
]);

/** Returns whether amounts of a coin are shown as money; false for an unknown one. */
export const isStable = (coin: string): boolean => stableCoins.has(coin.toUpperCase());

const plain = /^-?\d+(\.\d+)?$/;

/** Inserts commas between groups of three digits of a number: "-12345.678" -> "−12,345.678". Every digit is kept. */
export function grouped(digits: DecimalString): string {
  if (!plain.test(digits)) return digits;
  const [whole = "", fraction] = absolute(digits).split(".");
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${digits.startsWith("-") && !isZero(digits) ? minus : ""}${text}${fraction === undefined ? "" : `.${fraction}`}`;
}

/** Returns an amount of money with two places: "78155.7654" -> "78,155.76"; "<0.01" or ">−0.01" for what is smaller, "0" for zero. */
export function shownMoney(digits: DecimalString): string {
  if (!plain.test(digits)) return digits;
  if (isZero(digits)) return "0";
  const cut = truncate(digits, moneyPlaces);
  if (isZero(cut)) return digits.startsWith("-") ? `>${minus}0.01` : "<0.01";
  return grouped(padded(cut, moneyPlaces));
}

/** Returns a quantity with up to eight places without trailing zeros; of a smaller one the first four digits that are not zero. */
export function shownQuantity(digits: DecimalString): string {
  if (!plain.test(digits)) return digits;
  return grouped(truncate(digits, Math.max(quantityPlaces, placesFor(digits, minDigits))));
}

/** Returns the places that keep this many digits, counted from the first one that is not zero; below zero for a large number. */
function placesFor(digits: DecimalString, count: number): number {
  const [whole = "", fraction = ""] = absolute(digits).split(".");
  const before = whole.replace(/^0+/, "").length;
  return count - before + (before === 0 ? (/^0*/.exec(fraction)?.[0].length ?? 0) : 0);
}

/** Digits that a price keeps, also where its market's places, taken from a price without its last zeros, are too few for them. */
const minPriceDigits = 3;

/** Returns a price with the places of its market, or more where they are too few for it; as a quantity where they are unknown. */
export function shownPrice(digits: DecimalString, marketPlaces: number | null): string {
  if (!plain.test(digits)) return digits;
  if (marketPlaces === null || isZero(digits)) return shownQuantity(digits);
  const cut = truncate(digits, Math.max(marketPlaces, placesFor(digits, minPriceDigits)));
  return grouped(padded(cut, marketPlaces));
}

/** Where a share that does not fit is cut to: towards zero, or away from it for shares of which a larger one is the greater danger. */
export type Cut = "down" | "up";

/** Returns a share in per cent with three digits: "0.0421" -> "4.21"; 100 % and more without places. */
export function shownPercent(share: DecimalString, cut: Cut = "down"): string {
  if (!plain.test(share)) return share;
  const percent = multiply(share, "100");
  if (isZero(percent)) return "0";
  const size = absolute(percent);
  const kept = compare(size, "100") >= 0 ? 0 : compare(size, "10") >= 0 ? 1 : 2;
  const down = truncate(percent, kept);
  if (cut === "up") return grouped(padded(awayFromZero(percent, down, kept), kept));
  if (isZero(down)) return percent.startsWith("-") ? `>${minus}0.01` : "<0.01";
  return grouped(padded(down, kept));
}

function awayFromZero(exact: DecimalString, down: DecimalString, kept: number): DecimalString {
  if (compare(exact, down) === 0) return down;
  const step = kept === 0 ? "1" : `0.${"1".padStart(kept, "0")}`;
  const next = add(absolute(down), step);
  return exact.startsWith("-") ? `-${next}` : next;
}

/** Appends zeros up to a number of places. */
function padded(digits: DecimalString, to: number): DecimalString {
  const missing = to - places(digits);
  if (missing <= 0) return digits;
  return `${digits}${places(digits) === 0 ? "." : ""}${"0".repeat(missing)}`;
}
