import { expect, it } from "vitest";
import { changeFigure, shareFigure, shorten, wholeFigure } from "../../src/web/pages/parts/figure.ts";

it.each([
  ["74285.668380410858", "74,285.668…"],
  ["0.0002029719698497", "0.000202971…"],
  ["-112432.8768364657130393", "-112,432.87…"],
  ["0.00000000", "0.00000000"],
  ["1200.50", "1,200.50"],
  ["12.5", "12.5"],
  ["999", "999"],
  ["1000", "1,000"],
])("shows %s as %s", (digits, shown) => {
  expect(shorten(digits)).toBe(shown);
});

it("keeps every digit in the value of a shortened one", () => {
  expect(String(changeFigure("-101.0096012345"))).toContain('value="-101.0096012345"');
  expect(String(changeFigure("-101.0096012345"))).toContain("▼</span>-101.00960…");
});

it("shows the direction of a change by its sign", () => {
  expect(String(changeFigure("5"))).toContain("+5");
  expect(String(changeFigure("0.00"))).toBe('<data class="change" value="0.00">0</data>');
});

it("shows all digits of the main value of a page", () => {
  expect(String(wholeFigure("-1234.000000000000000001"))).toBe(
    '<data value="-1234.000000000000000001">-1,234<small>.000000000000000001</small></data>',
  );
});

it("writes shares in per cent", () => {
  expect(String(shareFigure("0.0421"))).toContain("4.21 %");
});
