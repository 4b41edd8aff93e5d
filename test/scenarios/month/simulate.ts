/**
 * Records a month of two simulated accounts: with a schedule change, restarts, an upgrade, refusals, and hours in which the
 * machine slept or nothing ran. The random events are reproducible and returned with the result.
 */
import type { ServedSnapshot } from "../../../src/simulator/simulator.ts";
import { pseudoRandom } from "../../store/minutes.ts";
import { classic, credentials, everyModelled, unified } from "../../support/settings.ts";
import { type OpenWorld, openWorld } from "../../support/world.ts";
import { type FailedScopes, failNext } from "./failures.ts";

export const minute = 60_000;
export const hour = 60 * minute;

/** A due slot and its outcome: `missed` is the cause where nothing was run, else it was run `lateMs` late. */
export interface DueSlot {
  slot: number;
  missed: string | null;
  lateMs: number;
  mishaps: readonly FailedScopes[];
}

export interface SimulatedMonth {
  path: string;
  record: readonly ServedSnapshot[];
  seed: number;
  /** The times of the first start, the schedule change, the upgrade of `main`, and the stop, epoch ms. */
  began: number;
  scheduleChanged: number;
  upgraded: number;
  ended: number;
  slots: readonly DueSlot[];
}

const began = Date.UTC(2026, 9, 2, 23, 30);
const ended = Date.UTC(2026, 10, 3, 12, 30);
/** The schedule runs every two hours before this time and every hour after it. */
const scheduleChanged = Date.UTC(2026, 9, 19, 8, 30);
const upgraded = Date.UTC(2026, 9, 23, 10, 30);
/** Slots before which the program is restarted without downtime. */
const restarts = [Date.UTC(2026, 9, 9, 4, 30), scheduleChanged, Date.UTC(2026, 9, 28, 15, 30)];

/** The last slots of days in UTC, New York and Lord Howe: no prices are sent then, so the equity of `main` is unknown. */
const withoutPrices = [Date.UTC(2026, 9, 26, 23), Date.UTC(2026, 9, 28, 3), Date.UTC(2026, 9, 30, 12)];

export const periodAt = (instant: number): number => (instant < scheduleChanged ? 2 : 1) * hour;

export const apiAt = (account: string, instant: number): "v2" | "v3" =>
  account === "main" && instant >= upgraded ? "v3" : "v2";

/** Returns the due slots: every two hours, then every hour. */
function dueSlots(): number[] {
  const due: number[] = [];
  for (let slot = Math.ceil(began / hour) * hour; slot < ended; slot += hour) {
    if (slot % periodAt(slot) === 0) due.push(slot);
  }
  return due;
}

/** The causes of missed slots: the machine slept, the program hung, or it was stopped. */
const lapses = ["asleep or clock set forward", "blocked", "not running"] as const;

/** Runs the simulation with the database at `path`. */
export async function simulateMonth(path: string, seed: number): Promise<SimulatedMonth> {
  const random = pseudoRandom(seed);
  const settings = (schedule: string) => ({
    BITGET_ACCOUNTS: "main,hedge",
    ...credentials(classic, "BITGET_MAIN"),
    ...credentials(unified, "BITGET_HEDGE"),
    ...everyModelled(schedule),
  });
  const world = await openWorld(path, new Date(began).toISOString(), settings("0 0 */2 * * *"), {
    accounts: [classic, { ...unified, mode: "classic" }],
    from: began,
    seed,
  });
  const slots: DueSlot[] = [];
  const due = dueSlots();
  try {
    for (let at = 0; at < due.length; at += 1) {
      const slot = due[at] ?? ended;
      const before = slot - periodAt(slot);
      if (before < upgraded && slot > upgraded) world.exchange.upgrade("main");
      const restart = restarts.find((instant) => instant > before && instant < slot);
      if (restart !== undefined) {
        world.clock.advanceTo(restart);
        await world.restart(settings(restart >= scheduleChanged ? "0 0 * * * *" : "0 0 */2 * * *"));
      }
      const missed = at > 0 && random(25) === 0 ? due.slice(at, at + 1 + random(5)) : [];
      const next = due[at + missed.length];
      const crossed = [...restarts, upgraded, ...withoutPrices].some((at) => at >= slot && at < (next ?? ended));
      if (missed.length > 0 && next !== undefined && !crossed) {
        const cause = lapses[random(3)] ?? "blocked";
        await lapse(world, cause, before, next);
        for (const one of missed) slots.push({ slot: one, missed: cause, lateMs: 0, mishaps: [] });
        at += missed.length - 1;
        continue;
      }
      // The very first response has the time of its slot on both clocks.
      const skewMs = random(1400) - 700;
      world.exchange.clockSkewMs = at === 0 ? 0 : skewMs;
      const apis = { main: apiAt("main", slot), hedge: apiAt("hedge", slot) };
      const isCertain = withoutPrices.includes(slot);
      const troubled = isCertain || random(12) === 0;
      const mishaps = troubled ? failNext(world.exchange, apis, random, isCertain ? "prices" : undefined) : [];
      const lateMs = random(40) === 0 ? 40_000 : random(400);
      await world.at(slot + lateMs);
      if (world.exchange.pendingFaults() > 0) throw new Error(`a fault was not met at ${new Date(slot).toISOString()}`);
      slots.push({ slot, missed: null, lateMs, mishaps });
    }
    world.clock.advanceTo(ended);
    await world.tick();
    const { record } = world.exchange;
    return { path, record, seed, began, scheduleChanged, upgraded, ended, slots };
  } finally {
    await world.close();
  }
}

/** Lets time pass until shortly before `next` without a run. */
async function lapse(world: OpenWorld, cause: (typeof lapses)[number], before: number, next: number): Promise<void> {
  const end = next - 10 * minute;
  world.clock.advanceTo(before + 20 * minute);
  await world.tick();
  if (cause === "not running") await world.scheduler.stop();
  if (cause === "asleep or clock set forward") world.clock.setWallClock(end);
  else world.clock.advanceTo(end);
  if (cause === "not running") await world.restart();
  else await world.tick();
}
