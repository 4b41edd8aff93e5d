/** Formats figures like the pages: cut to the places of their kind, never rounded up. */

/** @typedef {"money" | "quantity" | "price" | "share"} Kind */

const minus = "\u2212";

/** Inserts commas between groups of three digits: "-12345.678" -> "−12,345.678". @param {string} digits */
export function grouped(digits) {
  const [whole = "", fraction] = digits.replace("-", "").split(".");
  const isNegative = digits.startsWith("-") && !isZero(digits);
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${isNegative ? minus : ""}${text}${fraction === undefined ? "" : `.${fraction}`}`;
}

/** @param {string} digits */
const isZero = (digits) => /^-?[0.]*$/.test(digits);

/** Cuts the fraction to a number of places. @param {string} digits @param {number} places */
function cut(digits, places) {
  const [whole = "", fraction = ""] = digits.split(".");
  return `${whole}.${fraction.slice(0, places).padEnd(places, "0")}`;
}

/** @param {string} digits */
function money(digits) {
  if (isZero(digits)) return "0";
  const kept = cut(digits, 2);
  if (isZero(kept)) return digits.startsWith("-") ? `>${minus}0.01` : "<0.01";
  return grouped(kept);
}

/** @param {string} digits */
function quantity(digits) {
  const [whole = "", fraction = ""] = digits.split(".");
  const zeros = isZero(whole) ? (/^0*/.exec(fraction)?.[0].length ?? 0) : 0;
  return grouped(cut(digits, Math.max(8, zeros + 4)).replace(/\.?0+$/, ""));
}

/** Returns a share in per cent with three digits, cut away from zero, because it is a loss. @param {string} digits */
function percent(digits) {
  if (isZero(digits)) return "0 %";
  const [before = "", after = ""] = digits.replace("-", "").split(".");
  const whole = String(BigInt(before + after.slice(0, 2).padEnd(2, "0")));
  const places = Math.max(0, 3 - whole.length);
  const rest = after.slice(2);
  const units = BigInt(whole + rest.slice(0, places).padEnd(places, "0")) + (isZero(rest.slice(places)) ? 0n : 1n);
  return `${grouped(`${digits.startsWith("-") ? "-" : ""}${pointed(units, places)}`)} %`;
}

/** Returns a number of units of the last place as a decimal. @param {bigint} units @param {number} places */
function pointed(units, places) {
  const text = String(units).padStart(places + 1, "0");
  const at = text.length - places;
  return `${text.slice(0, at)}${places > 0 ? `.${text.slice(at)}` : ""}`;
}

/**
 * @param {string} digits decimal text
 * @param {Kind} kind
 * @param {boolean} isExact whether every digit is shown
 */
export function figureText(digits, kind, isExact) {
  if (kind === "share" && !isExact) return percent(digits);
  if (isExact) return grouped(digits);
  return kind === "money" ? money(digits) : quantity(digits);
}

/** Returns the difference of two decimals, exactly. @param {string} a @param {string} b */
export function difference(a, b) {
  const places = Math.max(placesOf(a), placesOf(b));
  const found = scaled(a, places) - scaled(b, places);
  return `${found < 0n ? "-" : ""}${pointed(found < 0n ? -found : found, places)}`;
}

/** @param {string} digits */
const placesOf = (digits) => digits.split(".")[1]?.length ?? 0;

/** @param {string} digits @param {number} places */
const scaled = (digits, places) => BigInt(`${digits.replace(".", "")}${"0".repeat(places - placesOf(digits))}`);
