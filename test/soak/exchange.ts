/** The exchange of a soak, in a process of its own. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import type { Told } from "./children/exchange.ts";

export interface Exchange extends Told {
  /** Calm or not from now on, or as before; and how things stand. */
  ask(what: "calm" | "faults" | "tell"): Promise<Told>;
  close(): void;
}

export async function startExchange(accounts: readonly SimulatedAccount[]): Promise<Exchange> {
  const child = fork(join(import.meta.dirname, "children", "exchange.ts"), [JSON.stringify(accounts)], {
    execArgv: ["--import", "tsx"],
  });
  const heard = async () => ((await once(child, "message")) as [Told])[0];
  return {
    ...(await heard()),
    ask(what) {
      const told = heard();
      child.send(what);
      return told;
    },
    close: () => child.disconnect(),
  };
}
