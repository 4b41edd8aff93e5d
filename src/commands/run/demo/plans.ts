/** What the two accounts of the demo do on the simulated exchange. The prices of its seed are always the same, so that results are too. */
import { dayMs, hourMs, minuteMs } from "../../../core/time.ts";
import type { Plan } from "../../../simulator/simulator.ts";

const contracts = ["AVAXUSDT", "BTCUSDT", "LINKUSDT", "SOLUSDT"];
const at = (days: number, hours = 0, minutes = 0) => days * dayMs + hours * hourMs + minutes * minuteMs;

/** The plans by account, for the thirty days of its history. */
export const plans: Readonly<Record<"main" | "hedge", Plan>> = {
  main: {
    start: {
      spot: { USDT: "4500", BTC: "0.04", ETH: "0.8", USDC: "500", AURUM: "1200" },
      funding: { USDT: "1000" },
      umcbl: { USDT: "12500" },
      dmcbl: { BTC: "0.03" },
    },
    contracts,
    steps: [
      { after: at(2), kind: "open", symbol: "AVAXUSDT", side: "long", mode: "crossed", leverage: 5, size: "1150" },
      { after: at(3), kind: "deposit", amount: "9000" },
      { after: at(15), kind: "close", symbol: "AVAXUSDT", side: "long" },
      { after: at(18), kind: "withdraw", amount: "4000" },
      // A loss of 11 % in nine hours, and half of it won back.
      { after: at(22, 1), kind: "open", symbol: "BTCUSDT", side: "long", mode: "crossed", leverage: 10, size: "1.75" },
      { after: at(22, 10), kind: "close", symbol: "BTCUSDT", side: "long" },
      {
        after: at(22, 15, 10),
        kind: "open",
        symbol: "BTCUSDT",
        side: "long",
        mode: "crossed",
        leverage: 10,
        size: "1.2",
      },
      { after: at(22, 18), kind: "close", symbol: "BTCUSDT", side: "long" },
      // Liquidated within hours.
      {
        after: at(25, 3),
        kind: "open",
        symbol: "LINKUSDT",
        side: "short",
        mode: "isolated",
        leverage: 50,
        size: "5200",
      },
    ],
  },
  hedge: {
    start: {
      spot: { USDT: "3500", BTC: "0.025", ETH: "0.4" },
      funding: { USDT: "1000" },
      umcbl: { USDT: "4900" },
    },
    contracts,
    steps: [
      // About 3 % from its liquidation at the end of the history.
      {
        after: at(29, 10, 30),
        kind: "open",
        symbol: "SOLUSDT",
        side: "short",
        mode: "isolated",
        leverage: 20,
        size: "60",
      },
    ],
  },
};
