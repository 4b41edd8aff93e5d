/** A price path: one position as the exchange tells it, step by step, and what is to be said on the way. */
import type { Fault } from "../../../src/simulator/simulator.ts";

export interface Step {
  /** Null: the position is not there. */
  position: { markPrice: string; liquidationPrice: string } | null;
  /** What is said of it. */
  said: string | null;
}

const at = (markPrice: string, said: string | null = null, liquidationPrice = "100"): Step => ({
  position: { markPrice, liquidationPrice },
  said,
});

/** With a limit of 10 % and a liquidation at 100 it fires under 111.11… and is over beyond 112.35…. */
export const path: readonly Step[] = [
  at("200"),
  at("112"),
  at("111.12"),
  at("111.11", "fired 0.0999909999099991"),
  at("111.2"),
  at("108"),
  at(""),
  at("108", null, ""),
  at("112.35"),
  at("112.36", "recovered 0.1100035599857601"),
  at("112.3"),
  at("101", "fired 0.0099009900990099"),
  at("101", "recovered null", "-3.5"),
  at("101", "fired 0.0099009900990099"),
  { position: null, said: "closed null" },
  { position: null, said: null },
];

export const positionsOfUsdt = { path: "/api/v2/mix/position/all-position", params: { productType: "USDT-FUTURES" } };

/** Makes the exchange tell this step from now on. */
export const telling = ({ position }: Step, symbol = "BTCUSDT"): Fault => ({
  ...positionsOfUsdt,
  times: Number.POSITIVE_INFINITY,
  edit: (envelope) => ({
    ...(envelope as object),
    data: position === null ? [] : [{ ...usual, symbol, ...position }],
  }),
});

const usual = {
  marginCoin: "USDT",
  holdSide: "long",
  openDelegateSize: "0",
  marginSize: "183",
  available: "1.2",
  locked: "0",
  total: "1.2",
  leverage: "20",
  achievedProfits: "0",
  openPriceAvg: "120",
  marginMode: "crossed",
  posMode: "hedge_mode",
  unrealizedPL: "-60.3",
  keepMarginRate: "0.005",
  marginRatio: "0.15",
  cTime: "1793491200000",
  uTime: "1793491200000",
};

/** What a webhook received, in the words of the path. */
export const wordsOf = (body: Record<string, unknown>): string => `${body.state} ${body.value}`;

export const wordsIn = (steps: readonly Step[]): string[] => steps.flatMap(({ said }) => said ?? []);

/** A word of each kind, where every step costs seconds. */
export const shortPath: readonly Step[] = [
  at("200"),
  at("101", "fired 0.0099009900990099"),
  at("112.35"),
  at("112.36", "recovered 0.1100035599857601"),
  at("110", "fired 0.0909090909090909"),
  { position: null, said: "closed null" },
];
