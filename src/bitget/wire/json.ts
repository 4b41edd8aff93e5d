/** Parses JSON without losing digits: numbers stay `LosslessNumber` objects until they are converted. */
import { isLosslessNumber, parse, stringify } from "lossless-json";

/**
 * The value of a JSON text. `__proto__` is a key like any other; a key that comes twice with two values is an error.
 * @throws SyntaxError where the text is not JSON (a byte order mark is not), RangeError where it nests too deeply.
 */
export const parseJson = (text: string): unknown => parse(text);

/** A value of `parseJson` as JSON text, its numbers digit for digit; `indent` spaces a level, none: one line. */
export const toJson = (value: unknown, indent?: number): string => stringify(value, null, indent) ?? "null";

/** The value as a JSON object, or null where it is anything else. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value) && !isLosslessNumber(value);
  return isObject ? (value as Record<string, unknown>) : null;
}
