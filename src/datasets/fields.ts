/**
 * Schemas of response fields. Each accepts what the exchange is known to send for such a field (text, a JSON number with all
 * its digits, "", null, nothing) and returns the normalised value, or null for "unknown"; undefined where the field is
 * missing, which `item` reports.
 */
import { isLosslessNumber, stringify } from "lossless-json";
import { z } from "zod";
import { isZero, toDecimalString } from "../core/decimal.ts";
import { type DecimalString, type Extra, productTypes } from "../core/domain.ts";
import { escapeControlChars } from "../core/text.ts";

const shownLength = 40;

/** A value as it may stand in a message: short, and unable to forge a line. */
function describeValue(value: unknown): string {
  if (typeof value === "object" && !isLosslessNumber(value)) return Array.isArray(value) ? "a list" : "an object";
  const whole = escapeControlChars(String(value));
  // Part of a text could be part of a secret, which would not be recognised.
  if (whole.length > shownLength) return `a text of ${whole.length} characters`;
  return typeof value === "string" ? `"${whole}"` : whole;
}

/** A field whose words are read by `read`; what it cannot read is an issue. */
const field = <Form>(expected: string, read: (text: string) => Form | null) =>
  z
    .unknown()
    .optional()
    .transform((value, context): Form | null | undefined => {
      if (value === undefined) return undefined;
      if (value === null || value === "") return null;
      const text = isLosslessNumber(value) ? value.value : value;
      const form = typeof text === "string" ? read(text) : null;
      if (form === null) context.addIssue({ code: "custom", message: `${describeValue(value)} is not ${expected}` });
      return form;
    });

/** The same field where its row would say nothing without it: unknown is an issue. */
const required = <Form>(optional: z.ZodType<Form | null | undefined>) =>
  optional.transform((value, context): Form => {
    if (value !== null && value !== undefined) return value;
    context.addIssue({ code: "custom", message: "is missing" });
    return z.NEVER;
  });

/** A decimal number, digit for digit as received; an exponent is written out. */
export const optionalDecimal = field<DecimalString>("a decimal number", toDecimalString);
export const decimal = required(optionalDecimal);

/** Epoch ms. Ten digits are seconds: a vendor sample has them where every live answer has milliseconds. */
export const millis = field<number>("a time in milliseconds", (text) => {
  if (!/^\d{1,15}$/.test(text)) return null;
  return text.length === 10 ? Number(text) * 1000 : Number(text);
});

/** Text as it is, so that ids keep all of their digits. */
export const text = field<string>("text", (value) => value);
export const name = required(text);

/** Coins are in capitals here; some answers have them small. */
export const coin = required(field<string>("a coin", (value) => value.toUpperCase()));

/** The name of an instrument as it is: `NEWUSDT` and `NEWUSDT_PRE` are two. */
export const symbol = required(field<string>("a symbol", (value) => value));

const v1Suffix = new RegExp(`_(?:${[...productTypes, "spbl"].join("|").toUpperCase()})(?=_|$)`);

/**
 * Removes the product type that API v1 appends to the pair, because it is the scope: `BTCUSDT_UMCBL` becomes `BTCUSDT`. A
 * delivery date after it stays: `BTCUSD_DMCBL_230929` becomes `BTCUSD_230929`.
 */
export const v1Symbol = required(field<string>("a symbol", (value) => value.replace(v1Suffix, "")));

/** Anything that has a structure of its own, kept as JSON text with every digit. */
export const json = z
  .unknown()
  .optional()
  .transform((value): string | null | undefined => {
    if (value === undefined) return undefined;
    return value === null || value === "" ? null : (stringify(value) ?? null);
  });

/** Normalises an enumeration value of the exchange; an unknown one is kept in lower case. */
const enumeration = (spellings: ReadonlyMap<string, string> = new Map()) =>
  field<string>("a word", (value) => spellings.get(value.toLowerCase()) ?? value.toLowerCase());

/** `long`, `short`; `net` is accepted though no answer was seen with it. */
export const side = required(enumeration());

/** `crossed` or `isolated`, which v1 calls `fixed`. */
export const marginMode = required(enumeration(new Map([["fixed", "isolated"]])));

/** `hedge_mode` or `one_way_mode`. */
export const holdMode = enumeration(
  new Map([
    ["double_hold", "hedge_mode"],
    ["single_hold", "one_way_mode"],
  ]),
);

/** Names of fields that an item does not have at all. A symbol, since no answer can have a field of that name. */
const missingSymbol = Symbol("missing");

/** What is known of an item, where a field that was not sent is as unknown as an empty one. */
type Fields<Shape extends z.ZodRawShape> = { [Name in keyof Shape]: Exclude<z.output<Shape[Name]>, undefined> };

/**
 * An object of these fields; what it has besides them comes out as `extra`, exactly as received. `leftOut`: fields that the
 * exchange was seen, or is documented, to send for some accounts only.
 */
export const item = <Shape extends z.ZodRawShape>(shape: Shape, leftOut: readonly (keyof Shape)[] = []) => {
  const names = Object.keys(shape);
  const known = z.object(shape);
  return z.unknown().transform((all, context) => {
    const read = known.safeParse(all);
    if (!read.success) {
      for (const { message, path } of read.error.issues) context.addIssue({ code: "custom", message, path });
      return z.NEVER;
    }
    const data: Record<string, unknown> = read.data;
    // From what was received: zod leaves a field called `__proto__` out.
    const others = Object.entries(all as object).filter(([name]) => !Object.hasOwn(shape, name));
    return {
      fields: Object.fromEntries(names.map((name) => [name, data[name] ?? null])) as Fields<Shape>,
      extra: (others.length > 0 ? Object.fromEntries(others) : null) as Extra,
      [missingSymbol]: names.filter((name) => data[name] === undefined && !leftOut.includes(name)),
    };
  });
};

/** What items of an answer, as its schema gave it back, should have and do not; each name once. */
export function missingFields(read: unknown): string[] {
  const names = [read]
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

/** Rows that say "nothing" because this amount is zero, whatever else they lack. */
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

/** A list of such items; rows that say "nothing" are left out before anything else of them is read. */
export const list = <Item>(of: z.ZodType<Item>, saysNothing: (row: Raw) => boolean = () => false) => {
  const row = z.unknown().transform((raw, context): Item | null => {
    if (typeof raw === "object" && raw !== null && saysNothing(raw as Raw)) return null;
    const { data, error } = of.safeParse(raw);
    for (const { path, message } of error?.issues ?? []) context.addIssue({ code: "custom", path: [...path], message });
    return error ? z.NEVER : data;
  });
  return z.array(row).transform((rows) => rows.filter((one) => one !== null));
};

/** The same, or v3's `{"list": […]}`, whose list may be null where there is nothing. */
export const listed = <Item>(of: z.ZodType<Item>, saysNothing?: (row: Raw) => boolean) =>
  z.preprocess(
    (data) => {
      const isWrapped = typeof data === "object" && data !== null && "list" in data;
      return isWrapped ? (data.list ?? []) : data;
    },
    list(of, saysNothing),
  );

/** True where every amount is known and zero; an unknown one may be anything. */
export const allZero = (...amounts: (DecimalString | null)[]): boolean =>
  amounts.every((each) => each !== null && isZero(each));
