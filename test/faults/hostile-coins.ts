/** Coins with hostile names and fields, as a malicious exchange could send them. */
import type { Simulator } from "../../src/simulator/simulator.ts";
import { spot } from "./runs.ts";

interface RawCoin {
  coin: string;
  available?: string;
  [field: string]: unknown;
}

/** Makes every response for the spot wallet contain exactly these coins, in this order. */
export function serveCoins(exchange: Simulator, coins: readonly RawCoin[]): void {
  exchange.injectFault({
    path: spot,
    times: Number.POSITIVE_INFINITY,
    edit: (envelope) => {
      const response = envelope as { data: object[] };
      return { ...response, data: coins.map((coin) => ({ ...response.data[0], available: "1", ...coin })) };
    },
  });
}

/** A name with control sequences that terminals obey: clear the screen, set the title, change the text direction. */
export const drivesTerminal = "A\u001b[2J\u001b]0;X\u0007\u202eB\u2066\u009b31MC";
