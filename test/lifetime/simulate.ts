/**
 * Executes a plan: moves the clocks, kills and starts the collector, makes the exchange fail, and records the expected
 * outcome. The exchange runs in this process, on the true time; the collector is a child process whose clock may be wrong.
 */
import { join } from "node:path";
import { random } from "../../src/simulator/market/random.ts";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { pathOf } from "../support/declared.ts";
import { classic, credentials, unified } from "../support/settings.ts";
import { ManualClock } from "./clock.ts";
import { createDaemons, type Daemon } from "./daemon.ts";
import { crashed, ExpectedRuns, type Outcome, type Series } from "./expected.ts";
import { type Event, hour, minute, type Plan, simulationStart, timezone } from "./plan.ts";
import { halfHour, settingsOf } from "./regimes.ts";
import { type ResponseLookup, ServedResponses } from "./served-responses.ts";
import { type Api, calm, responsesTo, type Storm, startStorm } from "./storms.ts";

export interface Simulation {
  plan: Plan;
  path: string;
  reportsFolder: string;
  expected: ExpectedRuns;
  served: ResponseLookup;
  /** When the account `main` was upgraded to unified, epoch ms. */
  upgraded: number;
  /** How often each event occurred. */
  counts: Record<string, number>;
}

/** Above this difference of the clocks no slot is run, because either may be wrong. Milliseconds. */
const largestOffset = 600_000;

/** Runs the simulation; calls `passed` after each simulated day. */
export async function simulate(plan: Plan, folder: string, passed: (day: number) => void): Promise<Simulation> {
  const chance = random(plan.seed + 1);
  const path = join(folder, "collector.db");
  const reportsFolder = join(folder, "reports");
  const truth = new ManualClock(simulationStart);
  const exchange = await startSimulator({
    clock: truth,
    seed: plan.seed,
    from: simulationStart,
    accounts: [classic, { ...unified, mode: "classic" }],
  });
  const expected = new ExpectedRuns();
  const served = new ServedResponses();
  const apis: Record<string, Api> = { main: "v2", hedge: "v2" };
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const pending = [...plan.events];
  let regime = 0;
  /** How far the collector's clock is ahead of the true time, ms. */
  let ahead = 0;
  let wasContradicted = false;
  let upgraded = 0;
  const now = () => truth.now() + ahead;
  const daemons = createDaemons();
  const advance = (ms: number) => {
    truth.advance(ms);
    return ms;
  };
  let daemon = await start();

  async function start(): Promise<Daemon> {
    expected.programStarted(regime, now());
    const begin = { now: now(), settings: settingsFor(exchange), killPoint: null };
    const started = await daemons.start(begin, advance);
    if (!started) throw new Error("the collector was killed during a normal start");
    expectChecked("not running", calm);
    count("starts");
    return started;
  }

  function settingsFor({ url }: Simulator): Record<string, string> {
    return {
      BITGET_ACCOUNTS: "main,hedge",
      ...credentials(classic, "BITGET_MAIN"),
      ...credentials(unified, "BITGET_HEDGE"),
      BITGET_BASE_URL: url,
      DATABASE_URL: `file:${path}`,
      REPORTS_DIR: reportsFolder,
      TIMEZONE: timezone,
      LOG_LEVEL: "silent",
      ...settingsOf(regime),
    };
  }

  /** Records what a clock check must produce: nothing while the exchange contradicts the clock. */
  function expectChecked(cause: string, storm: Storm, checkedAt = now()): void {
    const isContradicted = Math.abs(ahead) > largestOffset;
    if (!isContradicted)
      expected.clockChecked(checkedAt, wasContradicted ? "clock not confirmed" : cause, (series, slot) => {
        return storm.outcomeOf(series) ?? { state: "ok", causes: [checkedAt - slot > 1000 ? "late" : null] };
      });
    wasContradicted = isContradicted;
    served.add(exchange.record.splice(0));
  }

  /** Lets time pass until the collector's clock shows `instant`. */
  async function advanceTo(instant: number, storm: Storm = calm): Promise<void> {
    const ms = Math.max(0, instant - now());
    truth.advance(ms);
    const checkedAt = now();
    await daemon.advance(ms);
    expectChecked("blocked", storm, checkedAt);
  }

  /** Lets time pass until shortly after the slot, sometimes 40 s. */
  async function advancePast(slot: number): Promise<void> {
    const stormy = plan.storms.some(([from, to]) => slot >= from && slot < to);
    const isOff = Math.abs(ahead) > largestOffset;
    const storm = stormy && !isOff ? startStorm(exchange, apis, chance) : calm;
    if (stormy) count("slots in storms");
    await advanceTo(slot + (chance.integer(0, 49) === 0 ? 40_000 : chance.integer(5, 900)), storm);
    exchange.clearFaults();
  }

  function nextSlot(): number {
    let slot = Math.floor(now() / halfHour) * halfHour + halfHour;
    while (expected.due(slot).length === 0) slot += halfHour;
    return slot;
  }

  async function applyEvent(event: Event): Promise<void> {
    count(event.kind);
    await advanceTo(now() + chance.integer(2, 12) * minute);
    if (event.kind === "kill") await kill(event);
    else if (event.kind === "upgrade") {
      exchange.upgrade("main");
      apis.main = "v3";
      upgraded = truth.now();
    } else if (event.kind === "sleep") await step(event.ms, event.ms);
    else if (event.kind === "schedule") {
      await daemon.stop();
      regime = event.regime;
      truth.advance(event.downMs);
      daemon = await start();
    } else {
      await step(event.ms, 0);
      for (let left = event.halfHours; left > 0; left -= 1) await advancePast(nextSlot());
      await advanceTo(now() + chance.integer(2, 12) * minute);
      await step(-event.ms, 0);
    }
  }

  /** Steps the collector's clock by `ms`, of which `slept` have really passed. */
  async function step(ms: number, slept: number): Promise<void> {
    truth.advance(slept);
    ahead += ms - slept;
    const checkedAt = now();
    await daemon.step(ms);
    expectChecked("asleep or clock set forward", calm, checkedAt);
  }

  async function kill({ moment, downMs }: Event & { kind: "kill" }): Promise<void> {
    const victim = moment === "between" || moment === "opening" ? null : chooseVictim(nextSlot());
    count(`killed ${victim ? moment : moment === "opening" ? moment : "between"}`);
    if (victim) await killAt(nextSlot(), victim, moment);
    else await daemon.kill();
    truth.advance(downMs);
    if (moment === "opening") {
      await daemons.start({ now: now(), settings: settingsFor(exchange), killPoint: "unwritten" }, advance);
      truth.advance(5000);
    }
    daemon = await start();
  }

  /** Returns a run that no other run of its slot depends on; null where there is none. */
  function chooseVictim(slot: number): Series | null {
    const due = expected.due(slot);
    const alone = due.filter(({ dataset }) => dataset === "positions");
    const others = due.some(({ dataset }) => dataset === "prices")
      ? []
      : due.filter(({ dataset }) => dataset === "spot-assets");
    const possible = alone.length > 0 ? alone : others;
    return possible.length > 0 ? chance.pick(possible) : null;
  }

  /** Lets all other runs of the slot finish, then kills the process before the victim's responses or in the middle of its write. */
  async function killAt(slot: number, victim: Series, moment: string): Promise<void> {
    const api = apis[victim.account] ?? "v2";
    const checkedAt = slot + chance.integer(5, 900);
    const ms = checkedAt - now();
    truth.advance(ms);
    exchange.injectFault({
      path: pathOf(victim.dataset, api) ?? "",
      account: victim.account,
      delayMs: 1000 * hour,
      times: Infinity,
    });
    const sent = await daemon.advance(ms, responsesTo(victim, api));
    if (sent !== "held") throw new Error(`${victim.account} ${victim.dataset} did not wait for the exchange`);
    const isVictim = (one: Series) => one.account === victim.account && one.dataset === victim.dataset;
    exchange.clearFaults();
    if (moment === "asked") await daemon.kill();
    else await daemon.killInNextWrite(moment === "written" ? "written" : "unwritten", () => truth.release());
    truth.release();
    const end: Outcome = moment === "written" ? { state: "ok", causes: [null] } : crashed;
    expectChecked("blocked", { outcomeOf: (one) => (isVictim(one) ? end : null) }, checkedAt);
  }

  try {
    let day = 0;
    while (now() < plan.ended) {
      const next = pending[0];
      if (next && next.at <= now()) {
        pending.shift();
        await applyEvent(next.event);
      } else await advancePast(nextSlot());
      const today = Math.floor((now() - simulationStart) / (24 * hour));
      if (today > day) passed(today);
      day = Math.max(day, today);
    }
    await daemon.stop();
    return { plan, path, reportsFolder, expected, served: served.served, upgraded, counts };
  } finally {
    daemons.close();
    await exchange.close();
  }
}
