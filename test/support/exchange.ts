/** Starts the simulated exchange for programs that run in real time. */
import { systemClock } from "../../src/core/clock.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../src/simulator/simulator.ts";
import { fixtureEndpoints } from "./fixture-endpoints.ts";

/**
 * A time at which the account `main` has positions of all four product types and a funding wallet, followed by an hour
 * without activity.
 */
const quietHour = Date.UTC(2026, 10, 9, 6);

/** Starts the exchange on the system clock, with accounts whose holdings do not depend on the date. */
export const startExchange = (
  options: Omit<SimulatorOptions, "clock" | "startsAs"> & Partial<SimulatorOptions>,
): Promise<Simulator> =>
  startSimulator({ clock: systemClock, startsAs: quietHour, endpoints: fixtureEndpoints, ...options });
