/** The simulated exchange in a process of its own, so that its work does not count as ours. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { SimulatedAccount } from "../src/simulator/simulator.ts";

/** Made up; it opens nothing but the simulated exchange. */
export const account: SimulatedAccount = {
  name: "main",
  key: "bg_bench0000000000000000000000000000",
  secret: "bench-secret-of-the-simulated-exchange",
  passphrase: "bench-passphrase",
  mode: "classic",
};

/** So many of them, the first being `account`. */
export const accountsOf = (count: number): SimulatedAccount[] =>
  Array.from({ length: count }, (_, index) => {
    if (index === 0) return account;
    const number = String(index).padStart(4, "0");
    return { ...account, name: `bench${number}`, key: `bg_bench${number.padStart(28, "0")}` };
  });

/** What the process says when it is ready, and after each step of its clock. */
export interface Told {
  url: string;
  requests: number;
}

export interface Exchange {
  url: string;
  /** Sets its clock forward; an instant already passed changes nothing. Resolves with the requests it has had so far. */
  jump(instant: number): Promise<number>;
  close(): Promise<void>;
}

/** `from`: where its clock starts, epoch ms. `latencyMs`: added to every answer. */
export async function startExchange(from: number, latencyMs: number, accounts = 1): Promise<Exchange> {
  const child = fork(join(import.meta.dirname, "children", "exchange.ts"), [from, latencyMs, accounts].map(String), {
    execArgv: ["--import", "tsx"],
  });
  const told = async (): Promise<Told> => (await once(child, "message"))[0];
  const { url } = await told();
  return {
    url,
    async jump(instant) {
      child.send(instant);
      return (await told()).requests;
    },
    async close() {
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}
