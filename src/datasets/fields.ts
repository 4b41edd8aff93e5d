/**
 * Schemas of response fields. Each accepts what the exchange is known to send for such a field (text, a JSON number with all
 * its digits, "", null, nothing) and returns the normalised value, null for unknown, or undefined if the field is missing,
 * which `item` reports.
 */
import { isLosslessNumber, stringify } from "lossless-json";
import { z } from "zod";
import { isZero, toDecimalString } from "../core/decimal.ts";
import { type DecimalString, type Extra, productTypes } from "../core/domain.ts";
import { escapeControlChars } from "../core/text.ts";

const shownLength = 40;

/** Formats a value for a message: short, with control characters escaped. */
function describeValue(value: unknown): string {
  if (typeof value === "object" && !isLosslessNumber(value)) return Array.isArray(value) ? "a list" : "an object";
  const whole = escapeControlChars(String(value));
  // Part of a text could be part of a secret, which would not be recognised.
  if (whole.length > shownLength) return `a text of ${whole.length} characters`;
  return typeof value === "string" ? `"${whole}"` : whole;
}

/** Returns the schema of a field whose text is parsed by `parse`; a null result is an issue ("… is not `expected`"). */
const field = <Form>(expected: string, parse: (text: string) => Form | null) =>
  z
    .unknown()
    .optional()
    .transform((value, context): Form | null | undefined => {
      if (value === undefined) return undefined;
      if (value === null || value === "") return null;
      const text = isLosslessNumber(value) ? value.value : value;
      const form = typeof text === "string" ? parse(text) : null;
      if (form === null) context.addIssue({ code: "custom", message: `${describeValue(value)} is not ${expected}` });
      return form;
    });

/** Makes a field required: null, empty or missing is an issue. */
export const required = <Form>(optional: z.ZodType<Form | null | undefined>) =>
  optional.transform((value, context): Form => {
    if (value !== null && value !== undefined) return value;
    context.addIssue({ code: "custom", message: "is missing" });
    return z.NEVER;
  });

/** A decimal number, digit for digit as received; an exponent is expanded. */
export const optionalDecimal = field<DecimalString>("a decimal number", toDecimalString);
export const decimal = required(optionalDecimal);

/** A time in epoch ms. Ten digits are seconds, as in one documented sample; live responses always have milliseconds. */
export const millis = field<number>("a time in milliseconds", (text) => {
  if (!/^\d{1,15}$/.test(text)) return null;
  return text.length === 10 ? Number(text) * 1000 : Number(text);
});

/** Unchanged text, so that ids keep all of their digits. */
export const text = field<string>("text", (value) => value);
export const name = required(text);

/** Unchanged text that may be empty; null is empty, too. */
export const textOrEmpty = z.unknown().transform((value, context): string | undefined => {
  if (value === undefined || typeof value === "string") return value;
  if (value === null) return "";
  context.addIssue({ code: "custom", message: `${describeValue(value)} is not text` });
  return z.NEVER;
});

/**
 * The name of a coin as it was sent (`rTOWN`). One entirely in lower case is converted to upper case, because some responses have
 * ordinary coins so.
 */
export const exactCoin = field<string>("a coin", (value) =>
  value === value.toLowerCase() ? value.toUpperCase() : value,
).transform((value) => value ?? "");

/** The name of a coin, converted to upper case, because some responses have it in lower case. */
export const coin = required(field<string>("a coin", (value) => value.toUpperCase()));

/** The unchanged name of an instrument: `NEWUSDT` and `NEWUSDT_PRE` are different. */
export const symbol = required(field<string>("a symbol", (value) => value));

const v1Suffix = new RegExp(`_(?:${[...productTypes, "spbl"].join("|").toUpperCase()})(?=_|$)`);

/**
 * Removes the product type that API v1 appends to the pair, because it is the scope: `BTCUSDT_UMCBL` becomes `BTCUSDT`. A
 * delivery date after it stays: `BTCUSD_DMCBL_230929` becomes `BTCUSD_230929`.
 */
export const v1Symbol = required(field<string>("a symbol", (value) => value.replace(v1Suffix, "")));

/** A structured value, kept as JSON text with every digit. */
export const json = z
  .unknown()
  .optional()
  .transform((value): string | null | undefined => {
    if (value === undefined) return undefined;
    return value === null || value === "" ? null : (stringify(value) ?? null);
  });

/** An enumeration value of the exchange, normalised; an unknown one is kept in lower case. */
const enumeration = (spellings: ReadonlyMap<string, string> = new Map()) =>
  field<string>("a word", (value) => spellings.get(value.toLowerCase()) ?? value.toLowerCase());

/** `long` or `short`; `net` is accepted, although no response with it was observed. */
export const side = required(enumeration());

/** `crossed` or `isolated` (`fixed` in v1). */
export const marginMode = required(enumeration(new Map([["fixed", "isolated"]])));

/** `hedge_mode` or `one_way_mode`. */
export const holdMode = enumeration(
  new Map([
    ["double_hold", "hedge_mode"],
    ["single_hold", "one_way_mode"],
  ]),
);

/** The key of the names of missing fields; a symbol, so that no field of a response can have this name. */
const missingSymbol = Symbol("missing");

/** The fields of an item; a missing field is null, like an empty one. */
type Fields<Shape extends z.ZodRawShape> = { [Name in keyof Shape]: Exclude<z.output<Shape[Name]>, undefined> };

/**
 * Returns the schema of an object with these fields; other fields are returned as `extra`, exactly as received. `optional`:
 * fields that the exchange sends for some accounts only, as documented or observed.
 */
export const item = <Shape extends z.ZodRawShape>(shape: Shape, optional: readonly (keyof Shape)[] = []) => {
  const names = Object.keys(shape);
  const known = z.object(shape);
  return z.unknown().transform((all, context) => {
    const read = known.safeParse(all);
    if (!read.success) {
      for (const { message, path } of read.error.issues) context.addIssue({ code: "custom", message, path });
      return z.NEVER;
    }
    const data: Record<string, unknown> = read.data;
    // Reads the received object, because zod drops a field called `__proto__`.
    const others = Object.entries(all as object).filter(([name]) => !Object.hasOwn(shape, name));
    return {
      fields: Object.fromEntries(names.map((name) => [name, data[name] ?? null])) as Fields<Shape>,
      extra: (others.length > 0 ? Object.fromEntries(others) : null) as Extra,
      [missingSymbol]: names.filter((name) => data[name] === undefined && !optional.includes(name)),
    };
  });
};

/** Returns the expected fields that items of a parsed response lack, each name once. */
export function missingFields(parsed: unknown): string[] {
  const names = [parsed]
    .flat()
    .map((one) => (typeof one === "object" && one !== null && missingSymbol in one ? one[missingSymbol] : []));
  return [...new Set(names.flat() as string[])];
}

type Raw = Readonly<Record<string, unknown>>;

const isBlank = (value: unknown): boolean => value === undefined || value === null || value === "";

function isZeroDigits(value: unknown): boolean {
  const text = isLosslessNumber(value) ? value.value : value;
  const read = typeof text === "string" ? toDecimalString(text) : null;
  return read !== null && isZero(read);
}

/** Matches rows in which this amount is zero, whatever else they lack. */
export const hasZero =
  (amount: string) =>
  (row: Raw): boolean =>
    isZeroDigits(row[amount]);

/** Matches empty rows without a name: the first amount is zero, the others are zero or missing. */
export const namelessZero =
  (name: string, amount: string, ...others: readonly string[]) =>
  (row: Raw): boolean =>
    isBlank(row[name]) &&
    isZeroDigits(row[amount]) &&
    others.every((other) => isBlank(row[other]) || isZeroDigits(row[other]));

/** Matches rows without a name. */
export const nameless =
  (name: string) =>
  (row: Raw): boolean =>
    isBlank(row[name]);

/** Returns the schema of a list of items; rows that match `isEmpty` are skipped before they are parsed. */
export const list = <Item>(of: z.ZodType<Item>, isEmpty: (row: Raw) => boolean = () => false) => {
  const row = z.unknown().transform((raw, context): Item | null => {
    if (typeof raw === "object" && raw !== null && isEmpty(raw as Raw)) return null;
    const { data, error } = of.safeParse(raw);
    for (const { path, message } of error?.issues ?? []) context.addIssue({ code: "custom", path: [...path], message });
    return error ? z.NEVER : data;
  });
  return z.array(row).transform((rows) => rows.filter((one) => one !== null));
};

/** Returns the schema of a list, or of v3's `{"list": […]}`, whose list may be null if it is empty. */
export const listed = <Item>(of: z.ZodType<Item>, isEmpty?: (row: Raw) => boolean) =>
  z.preprocess(
    (data) => {
      const isWrapped = typeof data === "object" && data !== null && "list" in data;
      return isWrapped ? (data.list ?? []) : data;
    },
    list(of, isEmpty),
  );

/** Returns whether every amount is known and zero. */
export const allZero = (...amounts: (DecimalString | null)[]): boolean =>
  amounts.every((each) => each !== null && isZero(each));
