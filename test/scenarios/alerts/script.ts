/** A price path: one position step by step, with the expected notifications. */
import type { Fault } from "../../../src/simulator/simulator.ts";

export interface Step {
  /** Null: the position is closed. */
  position: { markPrice: string; liquidationPrice: string } | null;
  /** The expected notification; null for none. */
  notifications: string | null;
}

const at = (markPrice: string, notifications: string | null = null, liquidationPrice = "100"): Step => ({
  position: { markPrice, liquidationPrice },
  notifications,
});

/** With a limit of 10 % and a liquidation price of 100, the alert fires below 111.11… and recovers above 112.35…. */
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
  { position: null, notifications: "closed null" },
  { position: null, notifications: null },
];

export const positionsOfUsdt = { path: "/api/v2/mix/position/all-position", params: { productType: "USDT-FUTURES" } };

/** Returns the fault that makes the exchange send this step from now on. */
export const positionFault = ({ position }: Step, symbol = "BTCUSDT"): Fault => ({
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

/** Returns what a webhook received, in the form used by the path. */
export const notificationOf = (body: Record<string, unknown>): string => `${body.state} ${body.value}`;

export const notificationsIn = (steps: readonly Step[]): string[] =>
  steps.flatMap(({ notifications }) => notifications ?? []);

/** One notification of each kind, for tests in which every step takes seconds. */
export const shortPath: readonly Step[] = [
  at("200"),
  at("101", "fired 0.0099009900990099"),
  at("112.35"),
  at("112.36", "recovered 0.1100035599857601"),
  at("110", "fired 0.0909090909090909"),
  { position: null, notifications: "closed null" },
];
