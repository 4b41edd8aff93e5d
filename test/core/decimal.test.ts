import Big from "big.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  absolute,
  add,
  asDecimal,
  compare,
  decimalIn,
  divide,
  isPositive,
  isZero,
  multiply,
  places,
  subtract,
  sum,
  toDecimalString,
  truncate,
} from "../../src/core/decimal.ts";

const plainDigits = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 40n }), fc.option(fc.stringMatching(/^\d{1,24}$/)))
  .map(([negative, whole, fraction]) => `${negative ? "-" : ""}${whole}${fraction === null ? "" : `.${fraction}`}`);

/** The value times 10^80 as an integer: an arithmetic of its own to compare with. */
function scaled(text: string): bigint {
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const value = BigInt(whole + fraction.padEnd(80, "0"));
  return text.startsWith("-") ? -value : value;
}

describe("toDecimalString", () => {
  it("returns plain digits unchanged", () => {
    fc.assert(fc.property(plainDigits, (digits) => toDecimalString(digits) === digits));
  });

  it.each([
    ["1e5", "100000"],
    ["1.50e-7", "0.000000150"],
    ["-2.5E+3", "-2500"],
    ["12.345e1", "123.45"],
    ["0e0", "0"],
    ["5e-64", `0.${"0".repeat(63)}5`],
  ])("expands the exponent of %s without losing a digit", (text, digits) => {
    expect(toDecimalString(text)).toBe(digits);
  });

  it.each([
    "",
    " ",
    "NaN",
    "Infinity",
    "-",
    ".",
    "1.",
    ".5",
    "+1",
    "0x10",
    " 1 ",
    "1,000",
    "1e",
    "--1",
    "1e-65",
    "1e400",
    "true",
  ])("refuses %j", (text) => {
    expect(toDecimalString(text)).toBeNull();
  });

  it("refuses more than 64 places", () => {
    expect(toDecimalString(`0.${"1".repeat(64)}`)).not.toBeNull();
    expect(toDecimalString(`0.${"1".repeat(65)}`)).toBeNull();
  });
});

describe("exact arithmetic", () => {
  it("adds exactly", () => {
    fc.assert(fc.property(plainDigits, plainDigits, (a, b) => scaled(add(a, b)) === scaled(a) + scaled(b)));
  });

  it("subtracts exactly, and returns absolute values", () => {
    fc.assert(fc.property(plainDigits, plainDigits, (a, b) => scaled(subtract(a, b)) === scaled(a) - scaled(b)));
    expect([absolute("-1.50"), absolute("1.50"), subtract("0", "0.00")]).toEqual(["1.50", "1.50", "0"]);
  });

  it("multiplies exactly", () => {
    fc.assert(
      fc.property(plainDigits, plainDigits, (a, b) => scaled(multiply(a, b)) * 10n ** 80n === scaled(a) * scaled(b)),
    );
  });

  it("returns the digits that big.js returns", () => {
    const big = (a: string, b: string) =>
      [Big(a).plus(b), Big(a).minus(b), Big(a).times(b)].map((one) => one.toFixed());
    fc.assert(
      fc.property(plainDigits, plainDigits, (a, b) => {
        expect([add(a, b), subtract(a, b), multiply(a, b)]).toEqual(big(a, b).map((one) => (one === "-0" ? "0" : one)));
        expect(compare(a, b)).toBe(Big(a).cmp(b));
      }),
    );
  });

  it.each(["", " 1", "0x10", "1e5", ".5", "NaN"])("refuses %j, which is no decimal", (text) => {
    for (const work of [add, subtract, multiply, compare]) expect(() => work(text, "1")).toThrow("is not a decimal");
  });

  it("never returns an exponent", () => {
    expect(multiply("0.00000001", "0.00000001")).toBe("0.0000000000000001");
    expect(multiply("100000000000000000000000", "10")).toBe("1000000000000000000000000");
  });

  it("sums exactly where binary floats do not", () => {
    expect(sum(["0.1", "0.2", "-0.3"])).toBe("0");
    expect(sum([])).toBe("0");
  });

  it("divides to sixteen places, half up; null for a division by zero", () => {
    expect(divide("1", "3")).toBe("0.3333333333333333");
    expect(divide("37.985", "306.252")).toBe("0.1240318430573515");
    expect(divide("1", "0.000")).toBeNull();
  });

  it("compares values, not texts", () => {
    expect([compare("10", "9"), compare("1.0", "1"), compare("-2", "-1")]).toEqual([1, 0, -1]);
  });
});

it("distinguishes zero in every spelling from the smallest amount", () => {
  expect(["0", "0.00000000", "-0.0"].map(isZero)).toEqual([true, true, true]);
  expect(isZero("0.00000001")).toBe(false);
  expect(["0.00000001", "0.00", "-0.0", "-1"].map(isPositive)).toEqual([true, false, false, false]);
});

it("counts the places after the point", () => {
  expect([places("1"), places("1.50")]).toEqual([0, 2]);
});

it("truncates towards zero, after the point and before it", () => {
  expect([truncate("-12345.678", 2), truncate("12345.678", -2), truncate("99", -2)]).toEqual([
    "-12345.67",
    "12300",
    "0",
  ]);
});

it.each([
  ["text is the decimal as it stands", "-0.50", "-0.50"],
  ["nothing is unknown", null, null],
  ["a number is a count, never money", 3, null],
  ["so is one in full width", 3n, null],
  ["a column that is not there is unknown", undefined, null],
])("in a cell, %s", (_title, cell, expected) => {
  expect(asDecimal(cell)).toBe(expected);
  expect([decimalIn(cell === undefined ? {} : { amount: cell }, "amount"), decimalIn(undefined, "amount")]).toEqual([
    expected,
    null,
  ]);
});
