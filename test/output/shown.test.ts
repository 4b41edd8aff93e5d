import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { absolute, compare, isZero, multiply } from "../../src/core/decimal.ts";
import { grouped, shownMoney, shownPercent, shownPrice, shownQuantity } from "../../src/output/shown.ts";

describe("figures for people", () => {
  it.each([
    ["money", shownMoney("78155.765414628799"), "78,155.76"],
    ["money", shownMoney("-112432.8768364657130393"), "−112,432.87"],
    ["money", shownMoney("1200.5"), "1,200.50"],
    ["money", shownMoney("0.0000000030111"), "<0.01"],
    ["money", shownMoney("-0.009"), ">−0.01"],
    ["money", shownMoney("-0.00"), "0"],
    ["quantity", shownQuantity("18862.07396112"), "18,862.07396112"],
    ["quantity", shownQuantity("0.15941974999"), "0.15941974"],
    ["quantity", shownQuantity("1.500000000"), "1.5"],
    ["quantity", shownQuantity("0.0000001234567"), "0.0000001234"],
    ["quantity", shownQuantity("-0.00000000"), "0"],
    ["price", shownPrice("134.55342", 3), "134.553"],
    ["price", shownPrice("64000", 1), "64,000.0"],
    ["price", shownPrice("0.0000126", 2), "0.0000126"],
    ["price", shownPrice("0.0000126", null), "0.0000126"],
    // A price may come without its last zeros, and has then fewer places than its market.
    ["price", shownPrice("2.9149", 0), "2.91"],
    ["price", shownPrice("0.48014", 1), "0.48"],
    ["price", shownPrice("59000.9", 0), "59,000"],
    ["share", shownPercent("0.0320"), "3.20"],
    ["share", shownPercent("0.24999"), "24.9"],
    ["share", shownPercent("2.4884"), "248"],
    ["share", shownPercent("-0.0653"), "−6.53"],
    ["share", shownPercent("0.00000001"), "<0.01"],
    ["danger", shownPercent("0.24911", "up"), "25.0"],
    ["danger", shownPercent("0.00000001", "up"), "0.01"],
    ["exact", grouped("-1234.000000000000000001"), "−1,234.000000000000000001"],
    ["no number", shownMoney("soon"), "soon"],
  ])("shows %s as a page does: %s", (_kind, shown, expected) => {
    expect(shown).toBe(expected);
  });

  const digits = fc
    .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.nat({ max: 24 }))
    .map(([isNegative, number, places]) => {
      const text = number.toString().padStart(places + 1, "0");
      const split = text.length - places;
      return `${isNegative ? "-" : ""}${text.slice(0, split)}${places > 0 ? `.${text.slice(split)}` : ""}`;
    });
  /** Returns the decimal that a text shows; for "<0.01" what it is less than. */
  const numberIn = (text: string) => text.replace("−", "-").replace(/[<>,]/g, "");
  const isBound = (text: string) => /^[<>]/.test(text);
  const kinds: [string, (exact: string) => string, string, "down" | "up"][] = [
    ["money", shownMoney, "1", "down"],
    ["quantities", shownQuantity, "1", "down"],
    ["prices", (exact) => shownPrice(exact, 3), "1", "down"],
    ["shares", (exact) => shownPercent(exact), "100", "down"],
    ["dangers", (exact) => shownPercent(exact, "up"), "100", "up"],
  ];

  it.each(kinds)(
    "are never on the wrong side, never a false zero, and keep their sign: %s",
    (_name, show, factor, cut) => {
      fc.assert(
        fc.property(digits, (one) => {
          const exact = multiply(one, factor);
          const text = show(one);
          const shown = numberIn(text);
          expect(isZero(shown)).toBe(isZero(exact));
          expect(text.includes("−")).toBe(one.startsWith("-") && !isZero(one));
          const side = compare(absolute(shown), absolute(exact));
          // A bound is what the figure is less than.
          if (cut === "up" || isBound(text)) expect(side).toBeGreaterThanOrEqual(0);
          else expect(side).toBeLessThanOrEqual(0);
          expect(text).not.toContain("…");
        }),
        { numRuns: 2000 },
      );
    },
  );
});
