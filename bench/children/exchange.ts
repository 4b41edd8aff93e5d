/** The simulated exchange as a process. Told an instant it sets its clock forward to it; gone when its parent is. */
import { SimulatedClock } from "../../src/core/clock.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { fixtureEndpoints } from "../../test/support/fixture-endpoints.ts";
import { accountsOf, type Told } from "../exchange.ts";

const [from = Number.NaN, latencyMs = 0, accounts = 1] = process.argv.slice(2).map(Number);
const clock = new SimulatedClock(from);
const simulator = await startSimulator({
  clock,
  from,
  latencyMs,
  accounts: accountsOf(accounts),
  endpoints: fixtureEndpoints,
  remember: 1,
});

function tell(): void {
  const told: Told = { url: simulator.url, requests: simulator.counts.requests };
  process.send?.(told);
}

process.on("message", (instant: number) => {
  clock.jump(instant);
  tell();
});
process.once("disconnect", () => void simulator.close());
tell();
