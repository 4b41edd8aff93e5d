/** Records the past of the demo: thirty days of hourly slots, on the simulated clock. */
import { type App, preflight } from "../../../app.ts";
import type { SimulatedClock } from "../../../core/clock.ts";
import { hourMs } from "../../../core/time.ts";
import { datasets } from "../../../datasets/index.ts";
import type { Simulator } from "../../../simulator/simulator.ts";
import { keepVerification } from "../../../store/files/verified-file.ts";
import { verify } from "../../../store/verify/verify.ts";
import { startBar } from "../../shared/progress.ts";
import { simulateHistory } from "../backfill.ts";
import { enact, eventSlots, isAsleep, olderDatasets } from "./events.ts";

export const historyDays = 30;

/** Where the past is recorded; the clock stands at its beginning. */
export interface Past {
  app: App;
  clock: SimulatedClock;
  exchange: Simulator;
}

/** Records every hour until now, then sets the clock to now. */
export async function recordFlawless({ app, clock }: Past): Promise<void> {
  const begin = clock.now();
  await preflight(app);
  const hours = numbersUntilNow(begin).map((number) => begin + number * hourMs);
  const bar = startBar(`recording ${historyDays} days of history`, hours.length, "hours");
  await simulateHistory(app, clock, hours, (count) => bar.update(count), { skipsWaits: true });
  bar.stop();
  clock.jump(Date.now());
}

/**
 * Records every hour until now with what goes wrong meanwhile, part of it with an older version of this program, and evaluates alerts;
 * then sets the clock to now and verifies the history.
 */
export async function recordWithEvents({ app, clock, exchange }: Past): Promise<void> {
  const begin = clock.now();
  await preflight(app);
  const numbers = numbersUntilNow(begin).filter((number) => !isAsleep(number));
  const { first, count } = eventSlots.unknownField;
  const part = (deps: Partial<App["deps"]>, from: number, to: number) => ({
    version: { ...app, deps: { ...app.deps, ...deps } },
    slots: numbers.filter((number) => number >= from && number < to).map((number) => begin + number * hourMs),
  });
  const parts = [
    // Raw responses of the last days are enough for `db replay`, and packing them takes time.
    part({ rawResponses: null }, 0, first - 24),
    part({}, first - 24, first),
    part({ datasets: olderDatasets(app.deps.datasets) }, first, first + count),
    part({}, first + count, Number.POSITIVE_INFINITY),
  ];
  const bar = startBar(`recording ${historyDays} days of history`, numbers.length, "hours");
  const before = (slot: number) => enact(Math.round((slot - begin) / hourMs), { exchange, clock, slot });
  let done = 0;
  for (const { version, slots } of parts) {
    const onInstant = () => bar.update(++done);
    await simulateHistory(version, clock, slots, onInstant, { before, hasAlerts: true, skipsWaits: true });
  }
  bar.stop();
  clock.jump(Date.now());
  keepVerification(app.store.path, await verify(app.store.path, datasets), Date.now());
}

const numbersUntilNow = (begin: number): number[] =>
  Array.from({ length: Math.floor((Date.now() - begin) / hourMs) }, (_, index) => index + 1);
