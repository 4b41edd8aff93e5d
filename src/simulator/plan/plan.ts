/** What a simulated account owns at its start, and does at planned times, beside what it does by chance. */
import type { ProductType } from "../../core/domain.ts";

export interface Plan {
  /** What the account owns, by wallet and coin, such as `{ spot: { USDT: "5000" } }`; it trades only these product types. */
  start: Readonly<Partial<Record<"spot" | "funding" | ProductType, Readonly<Record<string, string>>>>>;
  /** Contracts that are traded by the plan alone. */
  contracts: readonly string[];
  steps: readonly Step[];
}

/** One planned action; `after` is the time since the account's start. Milliseconds. */
export type Step = { after: number } & Action;

/** Amounts are in USDT and of the spot wallet; sizes are in the coin of the contract, which has USDT as its margin. */
export type Action =
  | { kind: "deposit"; amount: string }
  | { kind: "withdraw"; amount: string }
  | {
      kind: "open";
      symbol: string;
      side: "long" | "short";
      mode: "crossed" | "isolated";
      leverage: number;
      size: string;
    }
  | { kind: "close"; symbol: string; side: "long" | "short" };
