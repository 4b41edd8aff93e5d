/** Shortens amounts for tables: digits are cut, never rounded up, and an amount that is not zero is never shown as zero. */
import { absolute, isZero, multiply, places } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";

const withoutTrailingZeros = (digits: string): string =>
  digits.includes(".") ? digits.replace(/0+$/, "").replace(/\.$/, "") : digits;

const cut = (digits: DecimalString, count: number): string => {
  const excess = places(digits) - count;
  return excess <= 0 ? digits : digits.slice(0, -excess).replace(/\.$/, "");
};

/** Returns an amount of money with at most two places: `78155.76`, and `<0.01` or `>-0.01` where that would be zero. */
export function money(digits: DecimalString): string {
  if (isZero(digits)) return "0";
  const shown = cut(digits, 2);
  if (!isZero(shown)) return shown;
  return digits.startsWith("-") ? ">-0.01" : "<0.01";
}

/** Returns a quantity with at most eight places, without trailing zeros; a smaller one has its first four digits. */
export function quantity(digits: DecimalString): string {
  if (isZero(digits)) return "0";
  const shown = cut(digits, 8);
  if (!isZero(shown)) return withoutTrailingZeros(shown);
  const zeros = /^0\.(0*)/.exec(absolute(digits))?.[1]?.length ?? 0;
  return withoutTrailingZeros(cut(digits, zeros + 4));
}

/** Returns a price with at most `count` places, but all digits of one that would be zero. */
export function price(digits: DecimalString, count: number): string {
  const shown = cut(digits, count);
  return isZero(shown) ? withoutTrailingZeros(digits) : shown;
}

/** Returns a share in percent with three digits: `0.0421` is `4.21 %`; one that is not zero is at least `<0.01 %`. */
export function percent(share: DecimalString): string {
  const digits = multiply(share, "100");
  const whole = absolute(digits).split(".")[0]?.length ?? 0;
  const shown = cut(digits, Math.max(0, 3 - whole));
  return `${isZero(shown) && !isZero(digits) ? "<0.01" : shown} %`;
}
