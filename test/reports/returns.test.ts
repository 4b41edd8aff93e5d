/** Returns of accounts of the simulated exchange whose money the test chooses: its equity and bills go through the whole program. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { sum } from "../../src/core/decimal.ts";
import type { Span } from "../../src/queries/periods.ts";
import { random } from "../../src/simulator/market/random.ts";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import { Money } from "../support/money.ts";
import { classic, credentials } from "../support/settings.ts";
import { createWorld, type OpenWorld, openWorld } from "../support/world.ts";
import { lines, reportRows } from "./kit.ts";

const hour = 3_600_000;
const day = 24 * hour;

const schedulesOf = (pattern: string) =>
  Object.fromEntries(["MIX_ACCOUNTS", "EQUITY", "BILLS", "PRICES"].map((name) => [`SCHEDULE_${name}`, pattern]));

const accountNamed = (name: string, index: number): SimulatedAccount => ({
  ...classic,
  name,
  key: `bg_${String(index).padStart(32, "0")}`,
});

const settingsOf = (accounts: readonly SimulatedAccount[]) => ({
  BITGET_ACCOUNTS: accounts.map(({ name }) => name).join(","),
  ...Object.assign({}, ...accounts.map((one) => credentials(one, `BITGET_${one.name.toUpperCase()}`))),
});

/** What happens in the day before a snapshot: money comes or leaves, then something is won. Null: the snapshot fails. */
type Day = [paid: string, won: string, seen?: null];

const spanOf = (by: "day" | "month", from: string, to: string): Span => ({
  ...{ timezone: "UTC", by, from: Date.parse(from), to: Date.parse(to) },
});

describe("the returns of accounts", () => {
  const first = Date.parse("2026-01-29T03:00:00Z");
  /** An account begins with the first day. */
  const lives: Record<string, (Day | null)[]> = {
    gains: [
      ["100", "0"],
      ["0", "10"],
      ["0", "11"],
    ],
    paid: [
      ["100", "0"],
      ["0", "10"],
      ["0", "0"],
      ["90", "20"],
    ],
    left: [
      ["100", "0"],
      ["0", "10"],
      ["-60", "11"],
    ],
    emptied: [
      ["100", "0"],
      ["0", "10"],
      ["-110", "0"],
      ["0", "0"],
      ["50", "5"],
    ],
    dust: [
      ["100", "0"],
      ["-99.99999999", "0"],
      ["1000", "10"],
    ],
    empty: [
      ["0", "0"],
      ["0", "0"],
      ["50", "5"],
    ],
    lost: [
      ["100", "0"],
      ["0", "-100"],
      ["50", "5"],
    ],
    gap: [
      ["100", "0"],
      ["0", "10"],
      ["90", "20", null],
      ["0", "0", null],
      ["0", "0"],
    ],
    quiet: [
      ["100", "0"],
      ["0", "10"],
      ["0", "5", null],
      ["0", "0", null],
      ["0", "6"],
    ],
    missed: [
      ["100", "0"],
      ["0", "10", null],
      ["100", "21"],
    ],
    below: [
      ["100", "0"],
      ["0", "-110"],
      ["50", "5"],
    ],
    swings: [
      ["100", "0"],
      ["0", "20"],
      ["500", "-155"],
      ["0", "155"],
      ["0", "-62"],
    ],
    late: [null, null, null, ["1000", "0"], ["0", "100"]],
  };
  const accounts = Object.keys(lives).map(accountNamed);
  let world: OpenWorld;

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "collector-test-"));
    const early = accounts.filter(({ name }) => name !== "late");
    world = await openWorld(
      join(folder, "collector.db"),
      new Date(first - 30_000).toISOString(),
      { ...schedulesOf("0 0 3 * * *"), ...settingsOf(early) },
      { from: first - 12 * hour, accounts },
    );
    const money = new Map(accounts.map(({ name }) => [name, new Money(world, name)]));
    for (let index = 0; index < 6; index += 1) {
      const at = first + index * day;
      if (index === 3) await world.restart({ ...schedulesOf("0 0 3 * * *"), ...settingsOf(accounts) });
      for (const [name, own] of money) {
        const [paid, won, seen] = lives[name]?.[index] ?? ["0", "0"];
        own.live(at - 22 * hour, paid, won);
        own.isReadable = seen !== null;
      }
      await world.at(at);
    }
    return async () => {
      await world.close();
      rmSync(folder, { recursive: true });
    };
  });

  const report = (account: string, span = spanOf("month", "2026-01-29", "2026-02-28")) =>
    reportRows(world.path, "returns", span, { account, now: world.clock.now() });
  const bounds = ["time_weighted", "time_weighted_least", "time_weighted_greatest", "flows", "result", "unknown"];

  it.each([
    ["what was won", "gains", "0.21 0.21 0.21 0 21 -"],
    ["not what was paid in", "paid", "0.21 0.21 0.21 90 30 -"],
    ["not what left", "left", "0.21 0.21 0.21 -60 21 -"],
    ["continued in an account that is emptied", "emptied", "0.21 0.21 0.21 -60 15 -"],
    ["continued where next to nothing was left", "dust", "0.01 0.01 0.01 900.00000001 10 -"],
    ["counted from the first money on", "empty", "0.1 0.1 0.1 50 5 -"],
    ["counted from the first snapshot on in an account that joins late", "late", "0.1 0.1 0.1 0 100 -"],
    ["-1 for ever after a total loss", "lost", "-1 -1 -1 50 -95 -"],
    ["between bounds if money came in during a gap", "gap", "- 0.21 0.3 90 30 -"],
    ["a number if none came in during a gap", "quiet", "0.21 0.21 0.21 0 21 -"],
    ["a number if money came in beside a single missed slot", "missed", "0.155 0.155 0.155 100 31 -"],
    ["unknown below zero", "below", "- - - 50 -105 the equity was not above zero"],
  ])("are %s", (_, account, expected) => {
    expect(lines(report(account), ...bounds).at(-1)).toEqual(expected);
  });

  it("are chained over months, each with its largest loss", () => {
    const columns = ["month", "opening", "closing", "flows", "time_weighted", "money_weighted", "drawdown"];
    expect(lines(report("swings"), ...columns)).toEqual([
      "2026-01 100 465 500 -0.1 -0.357574019219 0.25",
      "2026-02 465 558 0 0.2 0.2 0.1",
      "total 100 558 500 0.08 -0.087634064689 0.25",
    ]);
    const times = ["peak_at", "lowest_at", "recovered_at", "opening_at", "closing_at"];
    expect(report("swings").map((row) => times.map((name) => String(row[name] ?? "").slice(5, 10)).join(" "))).toEqual([
      "01-30 01-31  01-29 01-31",
      "02-01 02-02  01-31 02-02",
      "01-30 01-31 02-01 01-29 02-02",
    ]);
  });

  it("of a single day have no total, and of a day in a gap no number", () => {
    const columns = ["day", "opening", "closing", "time_weighted", "unknown"];
    const of = (account: string, from: string, to: string) =>
      lines(report(account, spanOf("day", from, to)), ...columns);
    expect(of("swings", "2026-01-31", "2026-02-01")).toEqual(["2026-01-31 120 465 -0.25 -"]);
    expect(of("gap", "2026-01-30", "2026-02-03")).toEqual([
      "2026-01-30 100 110 0.1 -",
      "2026-01-31 110 110 - there is only one snapshot",
      "2026-02-01 110 - - the equity at the end",
      "2026-02-02 - 220 - the equity at the beginning",
      "total 100 220 - -",
    ]);
    expect(of("late", "2026-01-29", "2026-01-31")).toEqual([]);
  });
});

it("are those of a year, each week of which money comes or leaves", async () => {
  const dice = random(3);
  const first = Date.parse("2026-01-05T03:00:00Z");
  const settings = schedulesOf("0 3 * * 1");
  const options = { from: first - 12 * hour, accounts: [classic] };
  const world = await createWorld(new Date(first - 30_000).toISOString(), settings, options);
  const money = new Money(world, "main");
  money.live(first - 2 * hour, "10000", "0");
  await world.at(first);
  const [flows, weeks] = [[{ day: 0, amount: 10_000 }], 52];
  let [growth, opening] = [1, 10_000];
  for (let week = 0; week < weeks; week += 1) {
    const [paid, won] = [dice.integer(-1000, 3000), dice.integer(-900, 1000)];
    const when = dice.integer(1, 6);
    money.live(first + week * 7 * day + when * day, `${paid}.25`, `${won}.125`);
    await world.at(first + (week + 1) * 7 * day);
    const closing = Number(money.balance);
    const [cameIn, left] = paid >= 0 ? [paid + 0.25, 0] : [0, paid - 0.25];
    growth *= (closing - left) / (opening + cameIn);
    flows.push({ day: week * 7 + when, amount: cameIn + left });
    opening = closing;
  }
  await world.at(first + (weeks + 1) * 7 * day);
  const rows = reportRows(world.path, "returns", spanOf("month", "2026-01-01", "2027-01-12"), {
    now: world.clock.now(),
  });
  expect(rows.map(({ unknown }) => unknown)).toEqual(Array.from({ length: 14 }, () => null));
  const total = rows.at(-1);
  expect(Number(total?.time_weighted)).toBeCloseTo(growth - 1, 9);
  const chained = rows.slice(0, -1).reduce((product, row) => product * (1 + Number(row.time_weighted)), 1);
  expect(chained).toBeCloseTo(growth, 9);
  const worth = (rate: number) =>
    flows.reduce((all, flow) => all + flow.amount * (1 + rate) ** ((weeks * 7 - flow.day) / (weeks * 7)), 0);
  expect(worth(Number(total?.money_weighted))).toBeCloseTo(opening, 6);
  expect(total?.closing).toBe(money.balance);
  expect(total?.result).toBe(sum(rows.slice(0, -1).map(({ result }) => String(result))));
});
