import { expect, it } from "vitest";
import { simulateAccount } from "../../../src/simulator/account/simulate-account.ts";
import { type AccountView, openPositions } from "../../../src/simulator/account/statement.ts";
import { walletsOf } from "../../../src/simulator/account/wallet.ts";
import { ListFaults } from "../../../src/simulator/list-faults.ts";
import { amount, digits, max, min } from "../../../src/simulator/market/amount.ts";
import { createMarket, tick } from "../../../src/simulator/market/market.ts";
import { classic, unified } from "../../support/settings.ts";
import { ask, handClock, noon, simulator } from "../support.ts";

const day = 86_400_000;
const from = noon - 30 * day;

it("the same seed and instant give the same responses, whatever was requested before", async () => {
  const targets = ["/api/v2/spot/account/assets", "/api/v2/mix/position/all-position?productType=USDT-FUTURES"];
  const asOf = async (history: number[]) => {
    const clock = handClock(from);
    const exchange = await simulator({ clock, from, seed: 7 });
    for (const instant of history) {
      clock.pass(instant - clock.now());
      await ask(exchange, classic, "/api/v2/account/all-account-balance", instant);
    }
    clock.pass(noon - clock.now());
    return Promise.all(targets.map(async (target) => (await ask(exchange, classic, target)).text));
  };

  const asked = await asOf([from + 60_000, from + 3 * day, from + 3 * day + 90_000, noon - 61_000]);
  const askedOutOfOrder = await asOf([from + 9 * day, from + 2 * day, noon + 5 * day]);
  const unasked = await asOf([]);

  expect(asked).toEqual(unasked);
  expect(askedOutOfOrder).toEqual(unasked);
});

it("a pinned start has the same holdings at any date, with the times of that date", async () => {
  const targets = [
    "/api/v2/spot/account/assets",
    "/api/v2/mix/position/all-position?productType=USDT-FUTURES",
    "/api/v2/mix/position/all-position?productType=USDC-FUTURES",
  ];
  const told = (date: number, startsAs?: number) => async (target: string) => {
    const pinned = startsAs === undefined ? {} : { startsAs };
    const exchange = await simulator({ clock: handClock(date), ...pinned });
    const { data, requestTime } = (await ask(exchange, classic, target, date)).body;
    expect(requestTime).toBe(date);
    for (const { cTime = 0 } of data) expect(Number(cTime)).toBeLessThanOrEqual(date);
    return data.map(({ cTime, uTime, ...rest }: Record<string, unknown>) => ({
      ...rest,
      age: [cTime, uTime].filter((time) => Number(time) > 0).map((time) => date - Number(time)),
    }));
  };
  const dates = ["2024-02-29T23:59:59.999Z", "2027-03-28T00:59:31Z", "2038-12-31T12:00:07Z"].map(Date.parse);
  for (const target of targets) {
    const expected = await told(noon)(target);
    expect(expected).not.toEqual([]);
    for (const date of dates) expect(await told(date, noon)(target)).toEqual(expected);
  }
  expect(await told(dates[0] ?? 0)(targets[1] ?? "")).not.toEqual(await told(noon)(targets[1] ?? ""));
});

it("another seed gives another market and another account", async () => {
  const of = async (seed: number) => {
    const exchange = await simulator({ seed });
    return (await ask(exchange, classic, "/api/v2/spot/account/assets")).text;
  };

  expect(await of(1)).not.toBe(await of(2));
});

it("prices change at each tick only, and stay plausible for a year", () => {
  const market = createMarket(1);
  const price = (instant: number) => market.price("BTC", instant) ?? 0n;
  const year = Array.from({ length: 365 }, (_, index) => price(noon + index * day));

  expect(price(noon + tick - 1)).toBe(price(noon));
  expect(price(noon + tick)).not.toBe(price(noon));
  expect(year.reduce(min)).toBeGreaterThan(amount("30000"));
  expect(year.reduce(max)).toBeLessThan(amount("130000"));
  expect(digits(price(noon))).toMatch(/^\d{5,6}(\.\d)?$/);
});

/** Everything seen in the life of one account, looked at every five minutes of its first month. */
function month(name: string) {
  const market = createMarket(1);
  const life = simulateAccount({ name, seed: 1, from, market });
  const seen = new Set<string>();
  let openPositionsSeen = 0;
  let looks = 0;
  let before = new Map<string, { size: bigint; mode: string; underwater: boolean }>();
  for (let instant = from; instant <= noon; instant += 300_000) {
    const now = life(instant);
    looks += 1;
    openPositionsSeen += now.positions.length;
    const open = new Map<string, { size: bigint; mode: string; underwater: boolean }>();
    for (const line of now.wallets.keys()) {
      for (const { positions } of walletsOf(now, line, market, instant)) {
        for (const { position, margin, profit } of positions) {
          const { contract, side, size, mode } = position;
          const key = `${line} ${contract.symbol} ${side} ${position.openedAt}`;
          open.set(key, { size, mode, underwater: mode === "isolated" && -profit > (margin * 8n) / 10n });
          seen.add(line).add(mode).add(side);
          const known = before.get(key);
          if (known && known.size < size) seen.add("grows");
          if (known && known.size > size) seen.add("partly closes");
          const others = now.positions.filter((other) => other.productType === line && other.contract === contract);
          if (others.length === 2) seen.add("hedge pair");
        }
      }
    }
    for (const [key, { underwater }] of before) if (!open.has(key)) seen.add(underwater ? "liquidated" : "closes");
    for (const [coin, held] of now.spot) {
      if (held.available < 0n) seen.add(`negative ${coin}`);
      if (held.available + held.frozen + held.locked === 0n) seen.add("sold to zero");
    }
    before = open;
  }
  return { seen, averageOpen: openPositionsSeen / looks };
}

it("a month of an account contains every case that a history must record", () => {
  const lives = ["main", "hedge", "third"].map(month);
  const seen = new Set(lives.flatMap((life) => [...life.seen]));

  expect([...seen].sort()).toEqual(
    [
      ...["umcbl", "dmcbl", "cmcbl", "sumcbl", "crossed", "isolated", "long", "short"],
      ...["grows", "partly closes", "hedge pair", "liquidated", "closes", "sold to zero"],
    ].sort(),
  );
  for (const { averageOpen } of lives) expect(averageOpen).toBeGreaterThan(2);
  for (const { averageOpen } of lives) expect(averageOpen).toBeLessThan(7);
});

it("crossed positions that are covered many times over have liquidation prices below zero", () => {
  const market = createMarket(1);
  const life = simulateAccount({ name: "main", seed: 1, from, market });
  const account = { uid: "1", parent: null, addresses: "", subAccounts: [], mayTrade: false, mode: "classic" as const };
  const prices = Array.from({ length: 30 }, (_, index) => from + index * day).flatMap((instant) => {
    const times = { instant, now: instant, since: from };
    const lists = { reads: [], bills: [], listFaults: new ListFaults() };
    const view: AccountView = { ...account, ...times, ...lists, state: life(instant), market };
    return openPositions(view, "umcbl").map(({ liquidationPrice }) => liquidationPrice);
  });

  expect(prices.filter((price) => price.startsWith("-"))).not.toEqual([]);
});

it("an upgrade moves spot and futures money into one wallet and leaves positions as they are", async () => {
  const exchange = await simulator({ accounts: [classic], seed: 3 });
  const spot = await ask(exchange, classic, "/api/v2/spot/account/assets?coin=USDT");
  const futures = await ask(exchange, classic, "/api/v2/mix/account/accounts?productType=USDT-FUTURES");
  const positions = await ask(exchange, classic, "/api/v2/mix/position/all-position?productType=USDT-FUTURES");

  exchange.upgrade("main");
  const refused = await ask(exchange, classic, "/api/v2/spot/account/assets");
  const assets = await ask(exchange, classic, "/api/v3/account/assets");
  const list = await ask(exchange, classic, "/api/v3/position/current-position?category=USDT-FUTURES");

  const [inSpot] = spot.body.data;
  const before = [inSpot.available, inSpot.frozen, inSpot.locked, futures.body.data[0].accountEquity].map(amount);
  const after = assets.body.data.assets.find((asset: { coin: string }) => asset.coin === "USDT");
  const essence = ({ symbol, total, markPrice, cTime, createdTime = cTime }: Record<string, string>) =>
    [symbol, total, markPrice, createdTime].join(" ");
  expect(refused.body.code).toBe("40085");
  expect(amount(after.equity)).toBe(before.reduce((a, b) => a + b));
  expect(list.body.data.list.map(essence)).toEqual(positions.body.data.map(essence));
});

it("the exchange's own valuation is the sum of its wallets", async () => {
  const exchange = await simulator({ accounts: [classic, unified] });
  const overview = await ask(exchange, classic, "/api/v2/account/all-account-balance");
  const lines = ["USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES"];
  const accounts = await Promise.all(
    lines.map((line) => ask(exchange, classic, `/api/v2/mix/account/accounts?productType=${line}`)),
  );

  const told = overview.body.data.find(({ accountType }: { accountType: string }) => accountType === "futures");
  const sum = accounts
    .flatMap(({ body }) => body.data)
    .reduce((total: bigint, { usdtEquity }: { usdtEquity: string }) => total + amount(usdtEquity), 0n);
  expect(digits(sum - (sum % 10_000n))).toBe(told.usdtBalance);
});
