import fc from "fast-check";
import { expect, it } from "vitest";
import { money, percent, price, quantity } from "../../../src/commands/terminal/amounts.ts";
import { absolute, compare, isPlain, isZero } from "../../../src/core/decimal.ts";

it.each([
  [money, "78155.765414628799", "78155.76"],
  [money, "0.0000000030111", "<0.01"],
  [money, "-0.004", ">-0.01"],
  [money, "-0.00", "0"],
  [money, "5", "5"],
  [quantity, "18862.07396099", "18862.07396099"],
  [quantity, "0.15941974000001", "0.15941974"],
  [quantity, "-0.0000000001234567", "-0.0000000001234"],
  [quantity, "1.50000000", "1.5"],
  [percent, "0.0320", "3.2 %"],
  [percent, "0.0321999", "3.21 %"],
  [percent, "0.24999", "24.9 %"],
  [percent, "2.48849", "248 %"],
  [percent, "0.00000001", "<0.01 %"],
] as const)("%o shows %s as %s", (shown, digits, text) => {
  expect(shown(digits)).toBe(text);
});

it("a price has as many places as the mark price, and all digits where it would be zero", () => {
  expect(price("134.55342", 3)).toBe("134.553");
  expect(price("134.55", 0)).toBe("134");
  expect(price("0.00000123", 4)).toBe("0.00000123");
});

it("no amount is shown larger than it is, and none but zero as zero", () => {
  const digits = fc
    .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.integer({ min: 0, max: 30 }))
    .map(([isNegative, value, places]) => {
      const text = value.toString().padStart(places + 1, "0");
      const fraction = places > 0 ? `.${text.slice(-places)}` : "";
      return `${isNegative ? "-" : ""}${places > 0 ? text.slice(0, -places) : text}${fraction}`;
    });
  fc.assert(
    fc.property(digits, (exact) => {
      for (const shown of [money(exact), quantity(exact), price(exact, 3)]) {
        if (!isPlain(shown)) {
          expect(compare(absolute(exact), "0.01")).toBe(-1);
          expect(shown).toBe(exact.startsWith("-") ? ">-0.01" : "<0.01");
          continue;
        }
        expect(compare(absolute(shown), absolute(exact))).not.toBe(1);
        expect(isZero(shown)).toBe(isZero(exact));
      }
    }),
    { numRuns: 1000 },
  );
});
