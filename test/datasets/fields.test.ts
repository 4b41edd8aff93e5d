import fc from "fast-check";
import { LosslessNumber, parse, stringify } from "lossless-json";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  coin,
  decimal,
  hasZero,
  item,
  json,
  list,
  marginMode,
  millis,
  missingFields,
  namelessZero,
  optionalDecimal,
  symbol,
  text,
  v1Symbol,
} from "../../src/datasets/fields.ts";

const number = (written: string) => new LosslessNumber(written);

const read = (shape: z.ZodType, value: unknown) => shape.parse(value);
const problem = (shape: z.ZodType, value: unknown) => shape.safeParse(value).error?.issues[0]?.message;

it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("an unknown field called %s is kept", (name) => {
  const sent = parse(`{"a":"1.0","${name}":{"b":[1.10,"${name}"]}}`);
  const { fields, extra } = item({ a: optionalDecimal }).parse(sent);

  expect(fields).toEqual({ a: "1.0" });
  expect(stringify(extra)).toBe(`{"${name}":{"b":[1.10,"${name}"]}}`);
});

describe("digits", () => {
  it.each([
    ["0.10", "0.10"],
    ["-0.00000000", "-0.00000000"],
    ["007", "007"],
    [
      "1234567890123456789012345678901234567890.000000000000000001",
      "1234567890123456789012345678901234567890.000000000000000001",
    ],
    [number("1.50"), "1.50"],
    [number("0.1000000000000000055511151231257827"), "0.1000000000000000055511151231257827"],
    ["1e5", "100000"],
    [number("1.50e-7"), "0.000000150"],
    ["", null],
    [null, null],
    [undefined, undefined],
  ])("reads %s as %s", (value, expected) => {
    expect(read(optionalDecimal, value)).toBe(expected);
  });

  it.each([
    ["NaN", '"NaN" is not a decimal number'],
    ["Infinity", '"Infinity" is not a decimal number'],
    ["0x10", '"0x10" is not a decimal number'],
    [" 1 ", '" 1 " is not a decimal number'],
    ["1\n", '"1\\u000a" is not a decimal number'],
    ["1,000", '"1,000" is not a decimal number'],
    [".5", '".5" is not a decimal number'],
    ["1e-65", '"1e-65" is not a decimal number'],
    [number("1e999"), "1e999 is not a decimal number"],
    [true, "true is not a decimal number"],
    [1.5, "1.5 is not a decimal number"],
    [["1"], "a list is not a decimal number"],
    [{ amount: "1" }, "an object is not a decimal number"],
  ])("refuses %j", (value, message) => {
    expect(problem(optionalDecimal, value)).toBe(message);
  });

  it("shows no more than 40 characters of what it refuses", () => {
    expect(problem(optionalDecimal, "x".repeat(1000))).toBe("a text of 1000 characters is not a decimal number");
  });

  it("keeps every plain decimal byte for byte, as text and as a JSON number", () => {
    const plain = fc
      .tuple(fc.constantFrom("", "-"), fc.stringMatching(/^(0|[1-9]\d{0,39})$/), fc.stringMatching(/^(\.\d{1,40})?$/))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(plain, (written) => {
        expect(read(optionalDecimal, written)).toBe(written);
        expect(read(optionalDecimal, parse(written))).toBe(written);
      }),
    );
  });

  it("returns plain digits or rejects, whatever the input", () => {
    fc.assert(
      fc.property(fc.string(), (written) => {
        const result = optionalDecimal.safeParse(written);
        if (result.success) expect(result.data ?? "0").toMatch(/^-?\d+(\.\d+)?$/);
      }),
    );
  });
});

it("an amount must be known", () => {
  expect(problem(decimal, "")).toBe("is missing");
  expect(problem(decimal, undefined)).toBe("is missing");
  expect(read(decimal, "0")).toBe("0");
});

it.each([
  ["1697248128000", 1697248128000],
  [number("1697248128000"), 1697248128000],
  ["1697248128", 1697248128000],
  ["", null],
  [undefined, undefined],
])("millis reads %s as %s", (value, expected) => {
  expect(read(millis, value)).toBe(expected);
});

it.each(["2026-11-22", "-1", "1.5", "12345678901234567890"])("millis refuses %s", (value) => {
  expect(problem(millis, value)).toBe(`"${value}" is not a time in milliseconds`);
});

it("text keeps all digits of an id, as text and as a JSON number", () => {
  expect(read(text, "1300000000000000001")).toBe("1300000000000000001");
  expect(read(text, parse("1300000000000000001"))).toBe("1300000000000000001");
});

it("enumeration values are normalised to one spelling", () => {
  expect(read(coin, "usdt")).toBe("USDT");
  expect(read(symbol, "BTCUSDH26")).toBe("BTCUSDH26");
  expect(read(marginMode, "fixed")).toBe("isolated");
  expect(read(marginMode, "crossed")).toBe("crossed");
});

it.each([
  ["BTCUSDT_UMCBL", "BTCUSDT"],
  ["BTCUSD_DMCBL", "BTCUSD"],
  ["BTCUSD_DMCBL_230929", "BTCUSD_230929"],
  ["SBTCSUSDT_SUMCBL", "SBTCSUSDT"],
  ["BTCUSDT_SPBL", "BTCUSDT"],
  ["NEWUSDT_PRE_UMCBL", "NEWUSDT_PRE"],
  ["NEWUSDT_PRE", "NEWUSDT_PRE"],
])("v1 names the product type in %s, which is %s", (told, is) => {
  expect(read(v1Symbol, told)).toBe(is);
});

it.each(["NEWUSDT", "NEWUSDT_PRE", "BTCUSDH26", "BTCUSDT_UMCBL"])("%s of later API versions is unchanged", (told) => {
  expect(read(symbol, told)).toBe(told);
});

describe("a row of a list", () => {
  const named = item({ coin, available: decimal });
  const coins = list(named, namelessZero("coin", "available", "frozen"));

  it("that is empty is skipped, whatever it lacks", () => {
    const rows = [
      { coin: "", available: "0.00" },
      { coin: null, available: number("0"), frozen: "" },
      { coin: "USDT", available: "1" },
      { available: "0", frozen: "0" },
    ];
    expect(coins.parse(rows).map(({ fields }) => fields.coin)).toEqual(["USDT"]);
    expect(list(named, hasZero("available")).parse([{ coin: {}, available: "0e3" }])).toEqual([]);
  });

  it.each([
    ["an amount", { coin: "", available: "1" }],
    ["another amount", { coin: "", available: "0", frozen: "0.1" }],
    ["an amount nobody knows", { coin: "", available: "" }],
    ["no amount", {}],
    ["no row", null],
    ["a text", "0"],
  ])("with %s and without a coin is an issue at its position", (_what, row) => {
    const { error } = coins.safeParse([{ coin: "", available: "0" }, row]);
    expect(error?.issues[0]?.path[0]).toBe(1);
  });
});

it("an item separates known and unknown fields", () => {
  const shape = item({ coin, available: decimal, frozen: optionalDecimal });
  expect(shape.parse({ coin: "btc", available: "1", colour: null, size: "2" })).toMatchObject({
    fields: { coin: "BTC", available: "1", frozen: null },
    extra: { colour: null, size: "2" },
  });
  expect(shape.parse({ coin: "btc", available: "1" }).extra).toBeNull();
});

it("a field that an item lacks is missing; an empty, null or optional one is not", () => {
  const shape = z.array(
    item({ coin, frozen: optionalDecimal, locked: optionalDecimal, note: text, list: json }, ["note"]),
  );
  const rows = [
    { coin: "btc", frozen: "", locked: null, list: null },
    { coin: "eth", locked: "1", note: "new", list: [] },
    { coin: "bgb", frozen: undefined },
  ];
  const read = shape.parse(rows);
  expect(missingFields(read)).toEqual(["frozen", "locked", "list"]);
  expect(read.map(({ fields }) => [fields.frozen, fields.locked, fields.note])).toEqual([
    [null, null, null],
    [null, "1", "new"],
    [null, null, null],
  ]);
  expect(missingFields([{ missing: ["frozen"] }, null, "frozen"])).toEqual([]);
});
