import { expect, it } from "vitest";
import { runToEnd } from "../../src/core/async/cooperate.ts";
import { add, compare, multiply, subtract, sum, truncate } from "../../src/core/decimal.ts";
import { attribute } from "../../src/returns/attribution.ts";
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
});

const ends = (balance: string, price: string | null, unrealized = "0") => ({ balance, price, unrealized });

it("explains a change of equity term by term", () => {
  const coins = [
    { coin: "BTC", opening: ends("1", "50000"), closing: ends("1.5", "60000") },
    { coin: "USDT", opening: ends("1000", "1", "10"), closing: ends("-24100.25", "1", "-5") },
  ];
  const bookings = [
    { coin: "USDT", kind: "deposit", change: "500", fee: "0" },
    { coin: "USDT", kind: "trade", change: "-25000", fee: "0" },
    { coin: "BTC", kind: "trade", change: "0.4995", fee: "-0.0005" },
    { coin: "BTC", kind: "other", change: "0.0005", fee: "0" },
    { coin: "USDT", kind: "funding", change: "-0.25", fee: "0" },
    { coin: "USDT", kind: "trade", change: "-600", fee: "-600" },
  ];
  const equity = { opening: "51010", closing: "65894.75" };
  const terms = attribute(equity, coins, bookings);
  expect(terms).toEqual({
    change: "14884.75",
    flows: "500",
    realized: "5000",
    funding: "-0.25",
    fees: "-630",
    interest: "0",
    prices: "10000",
    unrealized: "-15",
    // The entry of an unknown kind.
    unexplained: "30",
  });
});

it.each([1, 2, 3, 4, 5, 6])("adds up to the change to the last digit (seed %i)", (seed) => {
  const dice = random(seed);
  const amount = () =>
    `${dice.integer(0, 1) ? "-" : ""}${dice.integer(0, 99_999)}.${String(dice.integer(1, 999_999_999)).padStart(9, "0")}`;
  const coins = Array.from({ length: 8 }, (_, at) => ({
    coin: `C${at}`,
    opening: ends(amount(), dice.integer(0, 5) ? amount() : null, amount()),
    closing: ends(amount(), dice.integer(0, 5) ? amount() : null, amount()),
  }));
  const kinds = ["trade", "fee", "funding", "transfer", "deposit", "interest", "borrow", "other", "new kind"];
  const bookings = Array.from({ length: 60 }, () => ({
    coin: `C${dice.integer(0, 8)}`,
    kind: dice.pick(kinds),
    change: amount(),
    fee: amount(),
  }));
  const { change, ...terms } = attribute({ opening: amount(), closing: amount() }, coins, bookings);
  expect(compare(sum(Object.values(terms)), change)).toBe(0);
});
