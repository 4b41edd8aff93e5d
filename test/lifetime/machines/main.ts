/** `npm run test:life -- --machines N [--days N --seed N]`: the same with several machines on one PostgreSQL. */
import { findPostgres } from "../../support/postgres.ts";
import { type Check, compareStored, inspect } from "../checks.ts";
import { simulateMachines } from "./simulate.ts";

export interface Outcome {
  checks: readonly Check[];
  counts: Record<string, number>;
}

/** Simulates and checks. `passed` is called after each day. */
export async function liveOnMachines(options: {
  days: number;
  seed: number;
  machines: number;
  folder: string;
  passed(day: number): void;
}): Promise<Outcome> {
  const bin = findPostgres();
  if (bin === null) throw new Error("no PostgreSQL was found (apt-get install postgresql)");
  const simulation = await simulateMachines({ ...options, bin });
  return { checks: [...compareStored(simulation), ...(await inspect(simulation))], counts: simulation.counts };
}
