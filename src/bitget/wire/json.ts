/** Parses JSON without losing digits: numbers stay `LosslessNumber` objects until they are converted. */
import { isLosslessNumber, parse, stringify } from "lossless-json";

/**
 * Parses a JSON text. `__proto__` is an ordinary key; a duplicate key with another value is an error.
 * @throws SyntaxError if the text is not JSON (a byte order mark is not), RangeError if it is nested too deeply
 */
export const parseJson = (text: string): unknown => parse(text);

/** Formats a value of `parseJson` as JSON with unchanged numbers, on one line or with `indent` spaces per level. */
export const toJson = (value: unknown, indent?: number): string => stringify(value, null, indent) ?? "null";

/** Returns the value if it is a JSON object, null otherwise. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value) && !isLosslessNumber(value);
  return isObject ? (value as Record<string, unknown>) : null;
}
