/** Coins as an exchange that means harm would tell them. */
import type { Simulator } from "../../src/simulator/simulator.ts";
import { spot } from "./runs.ts";

interface Told {
  coin: string;
  available?: string;
  [field: string]: unknown;
}

/** From now on the spot wallet holds these, in this order, and nothing else. */
export function tellCoins(exchange: Simulator, coins: readonly Told[]): void {
  exchange.misbehave({
    path: spot,
    times: Number.POSITIVE_INFINITY,
    edit: (envelope) => {
      const answer = envelope as { data: object[] };
      return { ...answer, data: coins.map((coin) => ({ ...answer.data[0], available: "1", ...coin })) };
    },
  });
}

/** Tells of something else in the middle of an alphabet that machines obey: of the screen, of the direction of reading. */
export const drivesTerminal = "A\u001b[2J\u001b]0;X\u0007\u202eB\u2066\u009b31MC";
