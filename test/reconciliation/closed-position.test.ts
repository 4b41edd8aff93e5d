import { describe, expect, it } from "vitest";
import {
  type ClosedPosition,
  judgePosition,
  type PositionEntry,
  sumBills,
} from "../../src/reconciliation/closed-position.ts";
import { type EpisodeSpan, episodeOf } from "../../src/reconciliation/position-episode.ts";

const hour = 3_600_000;
const day = Date.parse("2026-11-01T00:00:00Z");
const at = (hours: number, ms = 0): number => day + hours * hour + ms;

const position = (facts: Partial<ClosedPosition> = {}): ClosedPosition => ({
  symbol: "BTCUSDT",
  marginCoin: "USDT",
  holdSide: "long",
  openedAt: at(1, 5),
  closedAt: at(9, 5),
  realizedPl: "10",
  netProfit: "9.2",
  funding: "-0.3",
  openFee: "-0.2",
  closeFee: "-0.3",
  cashDividend: null,
  ...facts,
});

const entry = (when: number, type: string, change: string | null, fee = "0", facts: Partial<PositionEntry> = {}) => ({
  at: when,
  type,
  kind: /fee/.test(type) ? "funding" : /force|burst|risk/.test(type) ? "liquidation" : "trade",
  coin: "USDT",
  symbol: "BTCUSDT",
  change,
  fee,
  ...facts,
});

const funding = (hours: number, amount: string) => entry(at(hours, 9000), "contract_settle_fee", amount);
const whole = [
  entry(at(1, 5), "open_long", "-0.2", "-0.2"),
  funding(8, "-0.3"),
  entry(at(4), "close_long", "3.9", "-0.1"),
  entry(at(9, 5), "close_long", "5.8", "-0.2"),
];

const judged = (own: ClosedPosition, entries: PositionEntry[], others: ClosedPosition[] = []) => {
  const sorted = entries.toSorted((one, other) => one.at - other.at);
  const sums = sumBills(own, others, { entries: sorted, times: sorted.map((one) => one.at) });
  const { bills, difference, verdict } = judgePosition(own, sums, null);
  return [verdict, difference, bills.realizedPl, bills.funding, bills.fees];
};

const short = (facts: Partial<ClosedPosition> = {}) => position({ holdSide: "short", ...facts });

describe("the bills of a closed position", () => {
  it.each<[string, ClosedPosition, PositionEntry[], ClosedPosition[], (string | null)[]]>([
    ["with a partial close", position(), whole, [], ["proven", "0", "10", "-0.3", "0.5"]],
    [
      "with digits that the exchange cuts",
      position({ netProfit: "9.20000001" }),
      whole,
      [],
      ["rounded", "0.00000001", "10", "-0.3", "0.5"],
    ],
    ["without one of them", position(), whole.slice(1), [], ["break", "-0.2", "10", "-0.3", "0.3"]],
    [
      "with entries of the other side, of other symbols and of other coins",
      position(),
      [
        ...whole,
        entry(at(3), "open_short", "-7", "-7"),
        entry(at(3), "close_long", "7", "0", { symbol: "ETHUSDT" }),
        entry(at(3), "close_long", "7", "0", { coin: "USDC" }),
        entry(at(0), "close_long", "7"),
        entry(at(9, 6), "open_long", "-7", "-7"),
      ],
      [short({ openedAt: at(3), closedAt: at(3.5) })],
      ["proven", "0", "10", "-0.3", "0.5"],
    ],
    [
      "with funding that was booked after the close",
      position({ closedAt: at(8, 100) }),
      [whole[0], entry(at(8, 100), "close_long", "9.7", "-0.3"), funding(8, "-0.3")] as PositionEntry[],
      [],
      ["proven", "0", "10", "-0.3", "0.5"],
    ],
    [
      "with funding at another time than a whole hour that was booked after the close",
      position({ closedAt: at(8.5) }),
      [whole[0], entry(at(8.5), "close_long", "9.7", "-0.3"), funding(8.5, "-0.3")] as PositionEntry[],
      [],
      ["proven", "0", "10", "-0.3", "0.5"],
    ],
    [
      "with funding of both sides",
      position(),
      [...whole, funding(8, "0.1")],
      [short({ openedAt: at(7), closedAt: at(12) })],
      ["unprovable", null, "10", null, "0.5"],
    ],
    [
      "with two payments of an hour while the other side is not listed yet",
      position(),
      [...whole, funding(8, "0.1")],
      [],
      ["unprovable", null, "10", null, "0.5"],
    ],
    [
      "that was liquidated, the rest paid by the insurance fund",
      position({ realizedPl: "-50", netProfit: "-50.5", openFee: "-0.5", closeFee: "0", funding: "0" }),
      [
        entry(at(1, 5), "OPEN_LONG", "-0.5", "-0.5"),
        entry(at(9, 5), "BURST_CLOSE_LONG", "-60"),
        entry(at(9, 5), "risk_captital_user_transfer", "10"),
      ],
      [],
      ["proven", "0", "-50", "0", "0.5"],
    ],
    [
      "in one-way mode, closed by the order that opened the other side",
      position({ realizedPl: "5", netProfit: "4.5", funding: "0" }),
      [
        entry(at(1, 5), "buy", "-0.2", "-0.2"),
        entry(at(9, 5), "sell", "4.7", "-0.3"),
        entry(at(9, 5), "sell", "-0.4", "-0.4"),
      ],
      [short({ openedAt: at(9, 5), closedAt: at(20) })],
      ["proven", "0", "5", "0", "0.5"],
    ],
    [
      "in one-way mode, closed by the order that opened the other side, which is still open",
      position({ realizedPl: "5", netProfit: "4.5", funding: "0" }),
      [
        entry(at(1, 5), "buy", "-0.2", "-0.2"),
        entry(at(9, 5), "sell", "4.7", "-0.3"),
        entry(at(9, 5), "sell", "-0.4", "-0.4"),
      ],
      [],
      ["unprovable", null, null, "0", null],
    ],
    [
      "in one-way mode, opened by the order that closed the other side, which is not listed",
      position({ realizedPl: "5", netProfit: "4.5", funding: "0" }),
      [
        entry(at(1, 5), "buy", "6.9", "-0.1"),
        entry(at(1, 5), "buy", "-0.2", "-0.2"),
        entry(at(9, 5), "sell", "4.7", "-0.3"),
      ],
      [],
      ["proven", "0", "5", "0", "0.5"],
    ],
    [
      "with an entry that names no symbol",
      position(),
      [...whole, entry(at(3), "close_long", "7", "0", { symbol: null })],
      [],
      ["unprovable", null, null, "-0.3", null],
    ],
    ["with an unknown opening", position({ openedAt: null }), whole, [], ["unprovable", null, null, null, null]],
  ])("%s", (_, own, entries, others, expected) => {
    expect(judged(own, entries, others)).toEqual(expected);
  });

  it("say nothing where they are not complete", () => {
    const sums = sumBills(position(), [], { entries: whole, times: whole.map((one) => one.at) });
    expect(judgePosition(position(), sums, "gap")).toMatchObject({ verdict: "gap", difference: null, fees: "0.5" });
  });
});

describe("the episode of a closed position", () => {
  const span = (facts: Partial<EpisodeSpan> = {}): EpisodeSpan => ({
    itemId: 1,
    since: 1,
    openedAt: at(1, 5),
    firstSeenAt: at(2),
    lastSeenAt: at(9),
    closedBefore: at(10),
    ...facts,
  });

  it.each<[string, ClosedPosition[], EpisodeSpan[], "own" | "none" | "ambiguous" | "open"]>([
    ["has its opening, and was closed after the last snapshot of it", [], [span()], "own"],
    ["is none where another opening was shown", [], [span({ openedAt: at(1) })], "none"],
    ["is none where it was shown after the close", [], [span({ lastSeenAt: at(11), closedBefore: at(12) })], "none"],
    ["is found without an opening by its close", [], [span({ openedAt: null })], "own"],
    [
      "is open as long as no later snapshot is without it",
      [],
      [span({ lastSeenAt: null, closedBefore: null })],
      "open",
    ],
    ["is ambiguous where two closed positions fit", [position({ closedAt: at(9, 50) })], [span()], "ambiguous"],
    ["is ambiguous where two episodes fit", [], [span({ openedAt: null }), span({ since: 2 })], "ambiguous"],
  ])("%s", (_, others, episodes, expected) => {
    const found = episodeOf(position(), others, episodes);
    expect(typeof found === "object" ? "own" : found).toBe(expected);
  });
});
