import { expect, it, onTestFinished } from "vitest";
import { demoAccount, demoAccounts } from "../../src/commands/run/demo/demo.ts";
import { introduce } from "../../src/commands/run/demo/intro.ts";
import { plans } from "../../src/commands/run/demo/plans.ts";
import { SimulatedClock } from "../../src/core/clock.ts";
import { simulateAccount } from "../../src/simulator/account/simulate-account.ts";
import { openPositions, walletValues } from "../../src/simulator/account/statement.ts";
import { createMarket } from "../../src/simulator/market/market.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";

const hour = 3_600_000;
const day = 24 * hour;

it.each(["2026-11-28T14:00:00Z", "2028-02-29T23:00:00Z"])(
  "the thirty days before %s of the demo without events show every kind of entry",
  async (end) => {
    const clock = new SimulatedClock(Date.parse(end) - 30 * day);
    const exchange = await startSimulator({ clock, from: clock.now(), ...demoAccount });
    onTestFinished(() => exchange.close());
    clock.jump(Date.parse(end));

    const entries = exchange.ledgerOf("main");
    const count = (type: string) => entries.filter((entry) => entry.type === type).length;
    const counts = Object.fromEntries(
      ["deposit", "WITHDRAW", "transfer_out", "trans_from_exchange", "contract_settle_fee", "force_close_long"].map(
        (type) => [type, count(type)],
      ),
    );
    expect(Object.entries(counts).filter(([, found]) => found < 2)).toEqual([]);
    expect(entries.filter(({ fee }) => fee !== "0").length).toBeGreaterThan(500);
    expect(count("risk_captital_user_transfer")).toBeGreaterThan(0);
    expect(entries.length).toBeLessThan(3_000);
  },
);

/** Simulates an account of the demo that begins at `from`, epoch ms. */
function lifeOf(name: "main" | "hedge", from: number) {
  const shift = demoAccounts.startsAs - from;
  const market = createMarket(1, shift);
  const stateAt = simulateAccount({ name, seed: 1, from, market, shift, plan: plans[name], ...demoAccounts.habits });
  const viewAt = (hours: number) => {
    const instant = from + hours * hour;
    return { state: stateAt(instant), market, instant } as Parameters<typeof walletValues>[0];
  };
  const equityAt = (hours: number) =>
    walletValues(viewAt(hours)).reduce((sum, { usdtBalance }) => sum + Number.parseFloat(usdtBalance), 0);
  return { viewAt, equityAt };
}

it.each([
  ["main", 25_000, [-5, 12]],
  ["hedge", 12_000, [-5, 12]],
] as const)(
  "%s of the demo begins with %d USDT, and returns between %j %% in thirty days",
  (name, begin, [low, high]) => {
    const { equityAt } = lifeOf(name, Date.UTC(2027, 4, 5, 17));
    // The deposit and the withdrawal of main are between the hours.
    const spans =
      name === "main"
        ? [
            [0, 71],
            [73, 431],
            [433, 720],
          ]
        : [[0, 720]];
    const growth = spans.reduce((product, [from = 0, to = 0]) => (product * equityAt(to)) / equityAt(from), 1);
    expect(Math.abs(equityAt(0) / begin - 1)).toBeLessThan(0.01);
    expect((growth - 1) * 100).toBeGreaterThan(low);
    expect((growth - 1) * 100).toBeLessThan(high);
  },
);

it("main of the demo loses 11 % in nine hours, and has a short that is liquidated", () => {
  const { equityAt, viewAt } = lifeOf("main", Date.UTC(2026, 0, 1));
  expect(1 - equityAt(538) / equityAt(529)).toBeGreaterThan(0.108);
  const shorts = (hours: number) => openPositions(viewAt(hours), "umcbl").filter(({ symbol }) => symbol === "LINKUSDT");
  expect([shorts(603).length, shorts(612).length]).toEqual([1, 0]);
  const types = viewAt(612)
    .state.book.ledger("unified")
    .all()
    .map(([, { entry }]) => entry.kind);
  expect(types.filter((kind) => kind === "burst").length).toBeGreaterThan(0);
});

it("hedge of the demo ends with an isolated short that is about 3 % from its liquidation", () => {
  const { viewAt } = lifeOf("hedge", Date.UTC(2026, 0, 1));
  for (const hours of [720, 720.5, 721]) {
    const short = openPositions(viewAt(hours), "umcbl").find(({ symbol }) => symbol === "SOLUSDT");
    const { liquidationPrice = "", mark = "", mode, side } = short ?? {};
    expect([mode, side]).toEqual(["isolated", "short"]);
    const distance = Number.parseFloat(liquidationPrice) / Number.parseFloat(mark) - 1;
    expect(Math.abs(distance - 0.03)).toBeLessThan(0.007);
  }
});

it("the box names the address, what to look at, and three commands", () => {
  const facts = { address: "http://127.0.0.1:8787/", path: "data/demo.db", now: Date.UTC(2026, 10, 29, 10, 5) };
  const plain = introduce({ ...facts, hasEvents: true, isFramed: false });
  expect(plain[0]).toBe("The demo is ready: http://127.0.0.1:8787/");
  expect(plain.filter((line) => line.includes("npx bitget-collector"))).toEqual([
    "  DATABASE_URL=file:./data/demo.db npx bitget-collector status",
    "  DATABASE_URL=file:./data/demo.db npx bitget-collector db verify",
    "  DATABASE_URL=file:./data/demo.db npx bitget-collector db replay --dataset positions",
  ]);
  expect(plain.join("\n")).toContain("the gaps of 5 Nov and 9 Nov");
  const framed = introduce({ ...facts, hasEvents: true, isFramed: true });
  expect(new Set(framed.map((line) => line.length)).size).toBe(1);
  expect(framed.slice(1, -1).map((line) => line.slice(2, -2).trimEnd())).toEqual(plain);
  expect(introduce({ ...facts, hasEvents: false, isFramed: false }).join("\n")).not.toContain("gaps");
});
