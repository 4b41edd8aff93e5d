/** Starts the simulated exchange in a process of its own, so that its work is not measured. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { SimulatedAccount } from "../src/simulator/simulator.ts";

/** A key that is valid for the simulated exchange only. */
export const account: SimulatedAccount = {
  name: "main",
  key: "bg_bench0000000000000000000000000000",
  secret: "bench-secret-of-the-simulated-exchange",
  passphrase: "bench-passphrase",
  mode: "classic",
};

/** Returns `count` accounts; the first is `account`. */
export const accountsOf = (count: number): SimulatedAccount[] =>
  Array.from({ length: count }, (_, index) => {
    if (index === 0) return account;
    const number = String(index).padStart(4, "0");
    return { ...account, name: `bench${number}`, key: `bg_bench${number.padStart(28, "0")}` };
  });

/** Sent by the process when it is ready, and after each step of its clock. */
export interface ExchangeStatus {
  url: string;
  requests: number;
  /** Requests that were above a limit. */
  limitViolations: number;
  /** Responses for a dataset of an account within half a minute of the one before: a slot that was requested twice. */
  repeated: number;
}

export interface Exchange {
  url: string;
  /** Sets its clock forward (never back). Resolves with the number of requests received so far. */
  jump(instant: number): Promise<number>;
  /** Returns what it counted so far. */
  status(): Promise<ExchangeStatus>;
  close(): Promise<void>;
}

/** Starts the process. `from`: the start of its clock, epoch ms; null: it has the clock of the machine. `latencyMs`: added to every response. */
export async function startExchange(from: number | null, latencyMs: number, accounts = 1): Promise<Exchange> {
  const child = fork(
    join(import.meta.dirname, "children", "exchange.ts"),
    [from ?? 0, latencyMs, accounts].map(String),
    {
      execArgv: ["--import", "tsx"],
    },
  );
  const nextStatus = async (): Promise<ExchangeStatus> => (await once(child, "message"))[0];
  const { url } = await nextStatus();
  return {
    url,
    async jump(instant) {
      child.send(instant);
      return (await nextStatus()).requests;
    },
    status() {
      child.send(0);
      return nextStatus();
    },
    async close() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
