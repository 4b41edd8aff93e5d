/** Cuts figures in tables of the terminal by the rule of the pages, so that they can be pasted: without commas, with the usual minus. */
import { compare } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { isStable, shownMoney, shownPercent, shownPrice, shownQuantity } from "../../output/shown.ts";

const plainly = (shown: string): string => shown.replaceAll(",", "").replace("\u2212", "-");

/** Returns an amount of money: two places. */
export const moneyText = (digits: DecimalString): string => plainly(shownMoney(digits));

/** Returns a change of money with its sign, "+" too. */
export const changeText = (digits: DecimalString): string =>
  `${compare(digits, "0") > 0 ? "+" : ""}${moneyText(digits)}`;

/** Returns a quantity of a coin: up to eight places. */
export const quantityText = (digits: DecimalString): string => plainly(shownQuantity(digits));

/** Returns an amount of a coin: as money if that is a stable one. */
export const amountText = (digits: DecimalString, coin: string): string =>
  isStable(coin) ? moneyText(digits) : quantityText(digits);

/** Returns a price with these places. */
export const priceText = (digits: DecimalString, places: number): string => plainly(shownPrice(digits, places));

/** Returns a share (0 to 1) in per cent. */
export const percentText = (share: DecimalString): string => `${plainly(shownPercent(share))} %`;
