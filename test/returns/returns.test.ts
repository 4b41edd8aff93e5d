import { expect, it } from "vitest";
import { runToEnd } from "../../src/core/async/cooperate.ts";
import { add, multiply, subtract, truncate } from "../../src/core/decimal.ts";
import { dailyGrowth, moneyWeightedReturn, power } from "../../src/returns/money-weighted.ts";
import { type DetailedValuation, returnsOf } from "../../src/returns/returns.ts";
import { random } from "../../src/simulator/market/random.ts";

const day = 86_400_000;
const values = (...all: [equity: string | null, flow?: string | null, isGap?: boolean][]): DetailedValuation[] =>
  all.map(([equity, flow = "0", isGap = false], index) => {
    const at = index * day;
    return { at, equity, flow, isGap, flows: flow === null ? [] : [{ at, amount: flow }] };
  });
const of = (valuations: DetailedValuation[]) => runToEnd(returnsOf(valuations));
const timeWeighted = (valuations: DetailedValuation[]) => of(valuations)?.timeWeighted ?? null;
const exactly = (fraction: string) => ({ least: fraction, greatest: fraction });
const rounded = (all: { least: string; greatest: string } | null, places: number) =>
  all && { least: truncate(all.least, places), greatest: truncate(all.greatest, places) };

it.each([
  // Doubled, then a quarter lost on twice the money: 2.0 x 0.75 - 1.
  ["a published example with one flow", values(["500"], ["2000", "1000"], ["1500"]), exactly("0.5")],
  ["no flow", values(["100"], ["110"], ["121"]), exactly("0.21")],
  ["a withdrawal", values(["100"], ["60", "-50"], ["66"]), exactly("0.21")],
  [
    "an account that is emptied and filled again",
    values(["100"], ["0", "-110"], ["50", "50"], ["55"]),
    exactly("0.21"),
  ],
  ["an account that joins late", values([null], ["50", "50"], ["55"]), exactly("0.1")],
  ["everything lost", values(["100"], ["0"]), exactly("-1")],
])("returns the time-weighted return of %s", (_, valuations, expected) => {
  expect(rounded(timeWeighted(valuations), 20)).toEqual(expected);
});

it("gives bounds where a flow fell into a gap, and a number where nothing was paid in it", () => {
  expect(rounded(timeWeighted(values(["100"], ["220", "100", true])), 8)).toEqual({
    least: "0.1",
    greatest: "0.2",
  });
  expect(timeWeighted(values(["100"], ["120", "0", true]))).toEqual(exactly("0.2"));
  expect(rounded(timeWeighted(values(["100"], [null, "100"], ["220"])), 8)).toEqual({
    least: "0.1",
    greatest: "0.2",
  });
});

it("is unknown where a flow is unknown, where the equity is negative, and without two values", () => {
  expect(timeWeighted(values(["100"], ["120", null]))).toBeNull();
  expect(timeWeighted(values(["-5"], ["20"]))).toBeNull();
  expect(timeWeighted(values(["100"], [null]))).toBeNull();
  expect(timeWeighted([])).toBeNull();
});

it("does not depend on flows: the same prices give the same return whatever is paid in and out", () => {
  const dice = random(5);
  const factors = Array.from({ length: 40 }, () => `1.0${dice.integer(0, 9)}`).map((up, at) =>
    at % 3 === 0 ? "0.97" : up,
  );
  const life = (flowAt: () => string) => {
    let equity = "1000";
    return values(
      [equity],
      ...factors.map((factor): [string, string] => {
        const grown = multiply(equity, factor);
        const flow = flowAt();
        equity = add(grown, flow);
        return [equity, flow];
      }),
    );
  };
  const without = rounded(timeWeighted(life(() => "0")), 10);
  expect(rounded(timeWeighted(life(() => String(dice.integer(-20, 300)))), 10)).toEqual(without);
});

const at = (text: string) => Date.parse(text);

it("returns the internal rate of the published example of XIRR", () => {
  const flows = [
    { at: at("2008-03-01"), amount: "-2750" },
    { at: at("2008-10-30"), amount: "-4250" },
    { at: at("2009-02-15"), amount: "-3250" },
  ];
  const span = { from: at("2008-01-01"), to: at("2009-04-01") };
  const growth = runToEnd(dailyGrowth("10000", flows, "2750", span));
  expect(truncate(subtract(power(growth ?? "0", 365), "1"), 6)).toBe("0.373362");
});

it.each<[string, [opening: string, paid: string[], closing: string], days: number, string | null]>([
  ["the growth where nothing was paid", ["100", [], "121"], 10, "0.21"],
  ["the growth of what was paid into an empty account", ["0", ["100"], "121"], 10, "0.21"],
  ["a loss of everything", ["100", [], "0"], 10, "-1"],
  ["null where nothing was invested", ["0", [], "10"], 10, null],
  ["null within a day", ["100", [], "110"], 0.5, null],
  ["null where more came out than any rate explains", ["100", ["-200"], "300"], 1, null],
])("gives %s", (_, [opening, paid, closing], days, expected) => {
  const flows = paid.map((amount) => ({ at: 0, amount }));
  expect(runToEnd(moneyWeightedReturn(opening, flows, closing, { from: 0, to: days * day }))).toBe(expected);
});

it("counts several flows of a day together, in any order", () => {
  const span = { from: 0, to: 20 * day };
  const flows = [3, 12, 3, 7].map((each) => ({ at: each * day, amount: `${each}0` }));
  const rate = runToEnd(moneyWeightedReturn("100", flows, "400", span));
  expect(runToEnd(moneyWeightedReturn("100", flows.toReversed(), "400", span))).toBe(rate);
  const merged = [{ at: 3 * day, amount: "60" }, ...flows.filter((flow) => flow.at > 3 * day)];
  expect(runToEnd(moneyWeightedReturn("100", merged, "400", span))).toBe(rate);
  expect(rate).toMatch(/^0\.[1-9]\d{12,}$/);
});

it("finds the largest loss from a peak, and when it was made good", () => {
  const drawdown = (...all: Parameters<typeof values>) => of(values(...all))?.drawdown;
  expect(drawdown(["100"], ["120"], ["90"], ["130"], ["125"])).toEqual({
    ...{ depth: "0.25", peakAt: day, lowestAt: 2 * day, recoveredAt: 3 * day },
  });
  expect(drawdown(["100"], ["110"])).toMatchObject({ depth: "0", recoveredAt: 0 });
  expect(drawdown(["100"])).toBeUndefined();
  expect(drawdown(["100"], ["10", "-90"], ["11"])?.depth).toBe("0");
  // A step whose flow is unknown is left out: 120 to 90, and what was 50 to 40, are a loss of 40 %.
  expect(drawdown(["100"], ["120"], ["90"], ["50", null], ["40"])).toMatchObject({
    ...{ depth: "0.4", peakAt: day, lowestAt: 4 * day, recoveredAt: null },
  });
  expect(drawdown(["100"], [null, null], ["50"], ["40"])?.depth).toBe("0.2");
  expect(drawdown(["100"], ["120", null])).toBeNull();
  expect(drawdown(["100"], ["90"], ["80", null])).toBeNull();
});
