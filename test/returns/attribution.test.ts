/** The terms of a change of equity. */
import { describe, expect, it } from "vitest";
import { add, multiply, sum } from "../../src/core/decimal.ts";
import {
  type AccountPeriod,
  attribute,
  type Booking,
  type Holding,
  type Price,
} from "../../src/returns/attribution.ts";
import { random } from "../../src/simulator/market/random.ts";

const ends = (balance: string | null, price: Price, unrealized: string | null = "0") => ({
  balance,
  price,
  unrealized,
});

const none = { opening: "0", closing: "0" };

it("explains a change of equity term by term", () => {
  const coins = new Map([
    ["BTC", { opening: ends("1", "50000"), closing: ends("1.5", "60000") }],
    ["USDT", { opening: ends("1000", "1", "10"), closing: ends("-24100.25", "1", "-5") }],
    ["AIRDROP", { opening: ends("7", null), closing: ends("7", null) }],
  ]);
  const usdt = { coin: "USDT", price: "1" };
  const bookings = [
    { ...usdt, kind: "deposit", amount: "500", fee: "0" },
    { ...usdt, kind: "trade", amount: "-25000", fee: "0" },
    { coin: "BTC", kind: "trade", amount: "0.5", fee: "-0.0005", price: "52000" },
    { coin: "BTC", kind: "other", amount: "0.0005", fee: "0", price: "58000" },
    { ...usdt, kind: "funding", amount: "-0.25", fee: "0" },
    { ...usdt, kind: "fee", amount: "-600", fee: "0" },
    { ...usdt, kind: "borrow", amount: "70000", fee: "0" },
    { ...usdt, kind: "margin", amount: "-30", fee: "0" },
  ];
  const equity = { opening: "51010", closing: "65894.75" };
  const other = { opening: "900", closing: "912.5" };
  expect(attribute({ equity, other, coins, bookings })).toEqual({
    change: "14884.75",
    flows: "500",
    realized: "1000",
    funding: "-0.25",
    fees: "-626",
    interest: "0",
    // 10,000 for the coin from the beginning, 8,000 for the half that was bought, less 4 for its fee.
    prices: "13996",
    unrealized: "-15",
    other: "12.5",
    // The entry of an unknown kind, and the rest that nothing shows.
    unexplained: "17.5",
    unpriced: ["AIRDROP"],
    unknown: ["what an entry of BTC is"],
  });
});

describe.each([1, 2, 3, 4, 5, 6])("with entries that are all of what happened (seed %i)", (seed) => {
  const dice = random(seed);
  const amount = () =>
    `${dice.integer(0, 1) ? "-" : ""}${dice.integer(0, 99_999)}.${String(dice.integer(1, 999_999_999)).padStart(9, "0")}`;
  const names = Array.from({ length: 8 }, (_, at) => `C${at}`);
  const kinds = ["trade", "fee", "funding", "transfer", "deposit", "interest", "reward", "liquidation"];
  const close = (balances: readonly string[]) => ({
    coins: balances.map((balance) => ends(balance, amount(), amount())),
    other: amount(),
  });
  type Close = ReturnType<typeof close>;
  const bookings = (): Booking[] =>
    Array.from({ length: 60 }, () => ({
      coin: dice.pick(names),
      kind: dice.pick(kinds),
      amount: amount(),
      fee: amount(),
      price: amount(),
    }));
  const closeAfter = ({ coins }: Close, all: readonly Booking[]) =>
    close(
      coins.map(({ balance }, at) => {
        const own = all.filter(({ coin }) => coin === names[at]);
        return sum([balance ?? "", ...own.flatMap(({ amount, fee }) => [amount ?? "", fee ?? ""])]);
      }),
    );
  const worth = ({ coins, other }: Close) =>
    sum([
      other,
      ...coins.map(({ balance, unrealized, price }) => multiply(add(balance ?? "", unrealized ?? ""), price ?? "")),
    ]);
  const between = (opening: Close, closing: Close, all: readonly Booking[]) =>
    attribute({
      equity: { opening: worth(opening), closing: worth(closing) },
      other: { opening: opening.other, closing: closing.other },
      coins: new Map(
        names.map((coin, at) => [
          coin,
          { opening: opening.coins[at] as Holding, closing: closing.coins[at] as Holding },
        ]),
      ),
      bookings: all,
    });
  const first = close(names.map(amount));
  const [ofOne, ofTwo] = [bookings(), bookings()];
  const second = closeAfter(first, ofOne);
  const third = closeAfter(second, ofTwo);

  it("explains the change to the last digit", () => {
    expect(between(first, second, ofOne).unexplained).toBe("0");
    const [, ...others] = ofOne;
    const { unexplained } = between(first, second, others);
    expect(unexplained).not.toBe("0");
  });

  it("gives each term of two periods as the sum of both, to the last digit", () => {
    const { unpriced: _, unknown: __, ...terms } = between(first, third, [...ofOne, ...ofTwo]);
    const [one, two] = [between(first, second, ofOne), between(second, third, ofTwo)];
    for (const [name, term] of Object.entries(terms)) {
      const parts = [one, two].map((each) => each[name as keyof typeof terms] ?? "NaN");
      expect([name, term]).toEqual([name, sum(parts)]);
    }
  });
});

describe("leaves a term empty", () => {
  const equity = { opening: "10", closing: "12" };
  const usdt = { opening: ends("1", "1"), closing: ends("1", "1", "2") };
  const funding = { coin: "USDT", kind: "funding", amount: "2", fee: "0", price: "1" };
  const of = (kind: string, more: Partial<Booking>): Booking => ({ ...funding, coin: "NEW", kind, ...more });
  const entryTerms = ["flows", "realized", "funding", "fees", "interest"];
  const whole: AccountPeriod = { equity, other: none, coins: new Map([["USDT", usdt]]), bookings: [funding] };
  const withNew = (opening: Holding, closing: Holding, ...bookings: Booking[]) => ({
    coins: new Map([
      ["USDT", usdt],
      ["NEW", { opening, closing }],
    ]),
    bookings: [funding, ...bookings],
  });

  it.each<[string, Partial<AccountPeriod>, string[], string[]]>([
    ["never if everything is known", {}, [], []],
    ["if entries may be missing", { bookings: null }, [...entryTerms, "prices"], []],
    ["if what was held is unknown", { coins: null }, ["unrealized", "prices"], []],
    ["if the part without a ledger is unknown", { other: { opening: null, closing: "1" } }, ["other"], []],
    [
      "if it needs a price that is unknown",
      withNew(ends("5", "1"), ends("5", undefined)),
      ["prices"],
      ["the price of NEW"],
    ],
    ["if a price begins", withNew(ends("5", null), ends("5", "2")), ["prices"], ["the price of NEW"]],
    ["not for a coin that never had a price", withNew(ends("5", null), ends("5", null)), [], []],
    [
      "not for a flow in a coin that never had a price",
      withNew(ends("5", null), ends("10", null), of("reward", { amount: "5", price: null })),
      [],
      [],
    ],
    [
      "for a flow at an unknown price",
      withNew(ends("0", null), ends("5", "2"), of("reward", { amount: "5", price: undefined })),
      ["flows", "prices"],
      ["the price of NEW"],
    ],
    [
      "if an entry's amount is unknown",
      withNew(ends("0", "1"), ends("0", "1"), of("trade", { amount: null })),
      ["realized", "prices"],
      ["an amount of NEW"],
    ],
    [
      "if an unrealised result is unknown",
      withNew(ends("0", "1", null), ends("0", "1")),
      ["unrealized"],
      ["an amount of NEW"],
    ],
    [
      "not for the price of a coin that was sold",
      withNew(ends("5", "1"), ends("0", undefined), of("trade", { amount: "-5.00000001" })),
      [],
      [],
    ],
  ])("%s", (_, changed, empty, unknown) => {
    const found = attribute({ ...whole, ...changed });
    const isEmpty = ([, term]: [string, unknown]) => term === null;
    expect(
      Object.entries(found)
        .filter(isEmpty)
        .map(([name]) => name),
    ).toEqual(empty);
    expect(found.unknown).toEqual(unknown);
  });
});
