/** Runs the simulated exchange. A message with a time sets its clock forward; it ends with its parent. */
import { SimulatedClock, systemClock } from "../../src/core/clock.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { fixtureEndpoints } from "../../test/support/fixture-endpoints.ts";
import { accountsOf, type ExchangeStatus } from "../exchange.ts";

const [from = Number.NaN, latencyMs = 0, accounts = 1] = process.argv.slice(2).map(Number);
const simulated = from > 0 ? new SimulatedClock(from) : null;
const clock = simulated ?? systemClock;
const simulator = await startSimulator({
  clock,
  from: clock.now(),
  latencyMs,
  accounts: accountsOf(accounts),
  endpoints: fixtureEndpoints,
});

const lastOf = new Map<string, number>();
let repeated = 0;
setInterval(() => {
  for (const { account, dataset, scope, takenAt } of simulator.record.splice(0)) {
    const name = [account, dataset, scope].join();
    if (takenAt - (lastOf.get(name) ?? 0) < 30_000) repeated += 1;
    lastOf.set(name, takenAt);
  }
}, 100).unref();

function report(): void {
  const { requests, limitViolations } = simulator.counts;
  const status: ExchangeStatus = { url: simulator.url, requests, limitViolations, repeated };
  process.send?.(status);
}

process.on("message", (instant: number) => {
  simulated?.jump(instant);
  report();
});
process.once("disconnect", () => void simulator.close());
report();
