import fc from "fast-check";
import { expect, it } from "vitest";
import { compare, isZero, subtract } from "../../../src/core/decimal.ts";
import { grouped, shownMoney, shownPercent, shownQuantity } from "../../../src/output/shown.ts";

interface Figures {
  figureText(digits: string, kind: "money" | "quantity" | "share", isExact: boolean): string;
  difference(a: string, b: string): string;
}

const path: string = "../../../src/web/assets/chart/figures.js";
const { figureText, difference } = (await import(path)) as Figures;

const digits = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.nat({ max: 20 }))
  .map(([isNegative, number, places]) => {
    const text = number.toString().padStart(places + 1, "0");
    const point = text.length - places;
    return `${isNegative ? "-" : ""}${text.slice(0, point)}${places > 0 ? `.${text.slice(point)}` : ""}`;
  });

it("cuts figures of charts like those of the pages", () => {
  fc.assert(
    fc.property(digits, (one) => {
      expect(figureText(one, "money", false)).toBe(shownMoney(one));
      expect(figureText(one, "quantity", false)).toBe(shownQuantity(one));
      expect(figureText(one, "share", false)).toBe(`${shownPercent(one, "up")} %`);
      expect(figureText(one, "money", true)).toBe(grouped(one));
    }),
    { numRuns: 2000 },
  );
});

it("subtracts to the last digit", () => {
  fc.assert(
    fc.property(digits, digits, (one, other) => {
      const found = difference(one, other);
      expect(isZero(subtract(found, subtract(one, other)))).toBe(true);
      expect(compare(found, "0")).toBe(compare(one, other));
    }),
  );
});
