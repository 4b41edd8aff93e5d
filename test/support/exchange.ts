/** The simulated exchange for programs that run in real time. */
import { systemClock } from "../../src/core/clock.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../src/simulator/simulator.ts";
import { fixtureEndpoints } from "./fixture-endpoints.ts";

/**
 * A moment at which the account `main` has positions on all four product lines and a funding wallet, followed by an hour
 * in which it does nothing.
 */
const quietHour = Date.UTC(2026, 10, 9, 6);

/** Starts it with real time and with accounts that hold the same at any date. */
export const startExchange = (
  options: Omit<SimulatorOptions, "clock" | "startsAs"> & Partial<SimulatorOptions>,
): Promise<Simulator> =>
  startSimulator({ clock: systemClock, startsAs: quietHour, endpoints: fixtureEndpoints, ...options });
