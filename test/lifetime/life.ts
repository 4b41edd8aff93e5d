/**
 * Lives through a plan: moves the clocks, kills and starts the collector, makes the exchange fail, and notes what must
 * come of it. The exchange lives here, on the true time; the collector is a process whose clock may be wrong.
 */
import { join } from "node:path";
import { random } from "../../src/simulator/market/random.ts";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { pathOf } from "../support/declared.ts";
import { classic, credentials, unified } from "../support/settings.ts";
import { StillClock } from "./clock.ts";
import { createDaemons, type Daemon } from "./daemon.ts";
import { crashed, ExpectedLedger, type Fate, type Series } from "./expected.ts";
import { began, type Event, hour, minute, type Plan, timezone } from "./plan.ts";
import { halfHour, settingsOf } from "./regimes.ts";
import { Tellings, type Told } from "./tellings.ts";
import { type Api, answersTo, calm, makeTrouble, type Trouble } from "./trouble.ts";

export interface Lived {
  plan: Plan;
  path: string;
  reportsFolder: string;
  expected: ExpectedLedger;
  told: Told;
  /** When the account `main` became a unified one, by its clock and by the exchange's. Epoch ms. */
  upgraded: number;
  /** What was done to it, by name. */
  counts: Record<string, number>;
}

/** Beyond this nobody can say which clock is wrong, and nothing is believed. Milliseconds. */
const largestOffset = 600_000;

/** `passed` hears each time a day is over. */
export async function live(plan: Plan, folder: string, passed: (day: number) => void): Promise<Lived> {
  const chance = random(plan.seed + 1);
  const path = join(folder, "collector.db");
  const reportsFolder = join(folder, "reports");
  const truth = new StillClock(began);
  const exchange = await startSimulator({
    clock: truth,
    seed: plan.seed,
    from: began,
    accounts: [classic, { ...unified, mode: "classic" }],
  });
  const expected = new ExpectedLedger();
  const tellings = new Tellings();
  const apis: Record<string, Api> = { main: "v2", hedge: "v2" };
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const pending = [...plan.events];
  let regime = 0;
  /** How far the collector's clock is ahead of the true time. */
  let ahead = 0;
  let wasContradicted = false;
  let upgraded = 0;
  const now = () => truth.now() + ahead;
  const daemons = createDaemons((ms) => truth.live(ms));
  let daemon = await start();

  async function start(): Promise<Daemon> {
    expected.started(regime, now());
    const begin = { now: now(), settings: settingsFor(exchange), dieAt: null };
    const started = await daemons.start(begin);
    if (!started) throw new Error("it was not to die yet");
    look("not running", calm);
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

  /** What the ledger must say of this look at the clock: nothing while the exchange contradicts it. */
  function look(cause: string, trouble: Trouble, seenAt = now()): void {
    const isContradicted = Math.abs(ahead) > largestOffset;
    if (!isContradicted)
      expected.looked(seenAt, wasContradicted ? "clock not confirmed" : cause, (series, slot) => {
        return trouble.fateOf(series) ?? { state: "ok", causes: [seenAt - slot > 1000 ? "late" : null] };
      });
    wasContradicted = isContradicted;
    tellings.add(exchange.record.splice(0));
  }

  /** Lives up to an instant of the collector's clock. */
  async function liveTo(instant: number, trouble: Trouble = calm): Promise<void> {
    const ms = Math.max(0, instant - now());
    truth.live(ms);
    const seenAt = now();
    await daemon.live(ms);
    look("blocked", trouble, seenAt);
  }

  /** The next slot, a little late as everything is, and sometimes later. */
  async function liveThrough(slot: number): Promise<void> {
    const stormy = plan.storms.some(([from, to]) => slot >= from && slot < to);
    const isOff = Math.abs(ahead) > largestOffset;
    const trouble = stormy && !isOff ? makeTrouble(exchange, apis, chance) : calm;
    if (stormy) count("slots in storms");
    await liveTo(slot + (chance.integer(0, 49) === 0 ? 40_000 : chance.integer(5, 900)), trouble);
    exchange.clearFaults();
  }

  function nextSlot(): number {
    let slot = Math.floor(now() / halfHour) * halfHour + halfHour;
    while (expected.due(slot).length === 0) slot += halfHour;
    return slot;
  }

  async function befall(event: Event): Promise<void> {
    count(event.kind);
    await liveTo(now() + chance.integer(2, 12) * minute);
    if (event.kind === "kill") await kill(event);
    else if (event.kind === "upgrade") {
      exchange.upgrade("main");
      apis.main = "v3";
      upgraded = truth.now();
    } else if (event.kind === "sleep") await step(event.ms, event.ms);
    else if (event.kind === "schedule") {
      await daemon.stop();
      regime = event.regime;
      truth.live(event.downMs);
      daemon = await start();
    } else {
      await step(event.ms, 0);
      for (let left = event.halfHours; left > 0; left -= 1) await liveThrough(nextSlot());
      await liveTo(now() + chance.integer(2, 12) * minute);
      await step(-event.ms, 0);
    }
  }

  /** The collector's clock goes on by so much at once; so much of it is true. */
  async function step(ms: number, slept: number): Promise<void> {
    truth.live(slept);
    ahead += ms - slept;
    const seenAt = now();
    await daemon.step(ms);
    look("asleep or clock set forward", calm, seenAt);
  }

  async function kill({ moment, downMs }: Event & { kind: "kill" }): Promise<void> {
    const victim = moment === "between" || moment === "opening" ? null : chooseVictim(nextSlot());
    count(`killed ${victim ? moment : moment === "opening" ? moment : "between"}`);
    if (victim) await killAt(nextSlot(), victim, moment);
    else await daemon.kill();
    truth.live(downMs);
    if (moment === "opening") {
      await daemons.start({ now: now(), settings: settingsFor(exchange), dieAt: "unwritten" });
      truth.live(5000);
    }
    daemon = await start();
  }

  /** A run that no other run of its slot waits for; null where there is none. */
  function chooseVictim(slot: number): Series | null {
    const due = expected.due(slot);
    const alone = due.filter(({ dataset }) => dataset === "positions");
    const others = due.some(({ dataset }) => dataset === "prices")
      ? []
      : due.filter(({ dataset }) => dataset === "spot-assets");
    const possible = alone.length > 0 ? alone : others;
    return possible.length > 0 ? chance.pick(possible) : null;
  }

  /** All other runs of the slot end; then the process does, before this one's answers came or in the middle of its write. */
  async function killAt(slot: number, victim: Series, moment: string): Promise<void> {
    const api = apis[victim.account] ?? "v2";
    const seenAt = slot + chance.integer(5, 900);
    const ms = seenAt - now();
    truth.live(ms);
    exchange.misbehave({
      path: pathOf(victim.dataset, api) ?? "",
      account: victim.account,
      delayMs: 1000 * hour,
      times: Infinity,
    });
    const said = await daemon.live(ms, answersTo(victim, api));
    if (said !== "held") throw new Error(`${victim.account} ${victim.dataset} did not wait for the exchange`);
    const isVictim = (one: Series) => one.account === victim.account && one.dataset === victim.dataset;
    exchange.clearFaults();
    if (moment === "asked") await daemon.kill();
    else await daemon.dies(moment === "written" ? "written" : "unwritten", () => truth.release());
    truth.release();
    const end: Fate = moment === "written" ? { state: "ok", causes: [null] } : crashed;
    look("blocked", { fateOf: (one) => (isVictim(one) ? end : null) }, seenAt);
  }

  try {
    let day = 0;
    while (now() < plan.ended) {
      const next = pending[0];
      if (next && next.at <= now()) {
        pending.shift();
        await befall(next.event);
      } else await liveThrough(nextSlot());
      const today = Math.floor((now() - began) / (24 * hour));
      if (today > day) passed(today);
      day = Math.max(day, today);
    }
    await daemon.stop();
    return { plan, path, reportsFolder, expected, told: tellings.told, upgraded, counts };
  } finally {
    daemons.close();
    await exchange.close();
  }
}
