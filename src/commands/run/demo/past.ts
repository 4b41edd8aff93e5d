/** Records the past of the demo: thirty days of hourly slots, on the simulated clock. */
import { type App, preflight } from "../../../app.ts";
import type { ScheduleOf } from "../../../collecting/due.ts";
import type { SimulatedClock } from "../../../core/clock.ts";
import { parsePattern } from "../../../core/cron.ts";
import { hourMs, minuteMs } from "../../../core/time.ts";
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
    slots: numbers
      .filter((number) => number >= from && number < to)
      .flatMap((number) => minutesOf(deps).map((minute) => begin + number * hourMs + minute * minuteMs)),
  });
  const [withdrawal, loss] = [eventSlots.withdrawal, eventSlots.loss];
  // Raw responses of the last days are enough for `db replay`, and packing them takes time.
  const early = { rawResponses: null };
  // Reading the ledger takes time, too: it is read every hour while a drawdown depends on it.
  const followed = { ...early, scheduleOf: withLedger(app.deps.scheduleOf) };
  const parts = [
    part(early, 0, withdrawal.first),
    part(followed, withdrawal.first, withdrawal.first + withdrawal.count),
    part(early, withdrawal.first + withdrawal.count, loss.first),
    part(followed, loss.first, loss.first + loss.count),
    part(early, loss.first + loss.count, first - 24),
    part({}, first - 24, first),
    part({ datasets: olderDatasets(app.deps.datasets) }, first, first + count),
    part({}, first + count, Number.POSITIVE_INFINITY),
  ];
  const bar = startBar(`recording ${historyDays} days of history`, numbers.length, "hours");
  const before = (slot: number) => enact((slot - begin) / hourMs, { exchange, clock, slot });
  let done = 0;
  for (const { version, slots } of parts) {
    const hours = slots.filter((slot) => (slot - begin) % hourMs === 0).length;
    const onInstant = (count: number) => bar.update(done + Math.floor((count * hours) / slots.length));
    await simulateHistory(version, clock, slots, onInstant, { before, hasAlerts: true, skipsWaits: true });
    done += hours;
  }
  bar.stop();
  clock.jump(Date.now());
  keepVerification(app.store.path, await verify(app.store.path, datasets), Date.now());
}

const numbersUntilNow = (begin: number): number[] =>
  Array.from({ length: Math.floor((Date.now() - begin) / hourMs) }, (_, index) => index + 1);

/** When the ledger is read every hour: some minutes after the snapshots, which wait for it. */
const ledgerMinute = 5;

const withLedger = (scheduleOf: ScheduleOf): ScheduleOf => {
  const pattern = parsePattern(`0 ${ledgerMinute} * * * *`);
  return (account, dataset) => (dataset === "bills" ? pattern : scheduleOf(account, dataset));
};

const minutesOf = ({ scheduleOf }: Partial<App["deps"]>): number[] => (scheduleOf ? [0, ledgerMinute] : [0]);
