import { html } from "hono/html";
import { expect, it } from "vitest";
import { withCodeNamed } from "../../src/output/labels.ts";
import type { View } from "../../src/web/data/table.ts";
import { amount, type Column, price, profit, share } from "../../src/web/data/table.ts";
import { verdictCells } from "../../src/web/pages/ledger/verdict.ts";
import { amountFigure, cellHtml, profitFigure } from "../../src/web/pages/parts/figure.ts";

const view = { isExact: false, timezone: "UTC", params: {} } as unknown as View;
const exact = { ...view, isExact: true };
const cell = (column: Column, row: Record<string, string | null>, of = view) => String(cellHtml(column, row, of));

it("cuts a figure to the places of its kind, keeps every digit in its value and tooltip, and shows them on an exact page", () => {
  const digits = "-101.0096012345";
  expect(String(amountFigure(digits, view))).toBe(`<data value="${digits}" title="${digits}">−101.00</data>`);
  expect(String(amountFigure(digits, exact))).toContain(">−101.0096012345<");
  expect(String(profitFigure(digits, view))).toContain("▼</span>−101.00<");
  expect(String(profitFigure(digits, exact))).toContain("▼</span>−101.0096012345<");
});

it("shows the direction of a gain or loss by its sign", () => {
  expect(String(profitFigure("5", view))).toContain("▲</span>+5.00<");
  expect(String(profitFigure("0.00", view))).toBe('<data class="change" value="0.00">0</data>');
});

it.each([
  ["money of a stable coin", amount("total", "Total", "coin"), { total: "12.3456", coin: "USDC" }, ">12.34<"],
  ["a quantity of a coin", amount("total", "Total", "coin"), { total: "12.3456", coin: "BTC" }, ">12.3456<"],
  ["profit in a coin", profit("pl", "PnL", "margin_coin"), { pl: "-0.00077989", margin_coin: "BTC" }, "−0.00077989<"],
  ["a price", price("entry", "Entry", 1), { entry: "64000.123456", mark_price: "64000.1" }, ">64,000.12<"],
  ["a share", share("part", "Share"), { part: "0.0421" }, ">4.21 %<"],
  ["what is unknown", amount("total", "Total"), { total: null }, ">?<"],
])("shows %s", (_what, column, row, shown) => {
  expect(cell(column, row)).toContain(shown);
});

it.each([
  ["503", "the exchange answered HTTP 503"],
  ["2026-11-20: main: spot: 503", "2026-11-20: main: spot: the exchange answered HTTP 503"],
  ["spot: 503; umcbl: 40015", "spot: the exchange answered HTTP 503; umcbl: the exchange answered with its code 40015"],
  ["the price of 503X", "the price of 503X"],
])("says of whom a code in a cause is: %s", (cause, words) => {
  expect(withCodeNamed(cause)).toBe(words);
  expect(String(verdictCells.cause?.({ cause }, html`${cause}`))).toBe(words);
});
