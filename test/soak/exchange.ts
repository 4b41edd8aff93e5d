/** Runs the simulated exchange of a soak test in its own process. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import type { Status } from "./children/exchange.ts";

export interface Exchange extends Status {
  /** Switches faults off or on (undefined: unchanged) and returns the counts. */
  ask(what: "calm" | "faults" | "status"): Promise<Status>;
  close(): void;
}

export async function startExchange(accounts: readonly SimulatedAccount[]): Promise<Exchange> {
  const child = fork(join(import.meta.dirname, "children", "exchange.ts"), [JSON.stringify(accounts)], {
    execArgv: ["--import", "tsx"],
  });
  const nextStatus = async () => ((await once(child, "message")) as [Status])[0];
  return {
    ...(await nextStatus()),
    ask(what) {
      const status = nextStatus();
      child.send(what);
      return status;
    },
    close: () => child.disconnect(),
  };
}
