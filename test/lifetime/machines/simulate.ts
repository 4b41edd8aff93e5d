/**
 * Simulates collectors on several machines that record into one PostgreSQL, and of which one is always dying: each day another
 * one is killed or suspended, in another moment of a run, and comes back after minutes or hours.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { datasets } from "../../../src/datasets/index.ts";
import { type Random, random } from "../../../src/simulator/market/random.ts";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { mirror } from "../../../src/store/postgres/copy/mirror.ts";
import { pathOf } from "../../support/declared.ts";
import { classic, credentials, unified } from "../../support/settings.ts";
import type { Stored } from "../checks.ts";
import { ManualClock } from "../clock.ts";
import { allSeries, crashed, ExpectedRuns, nameOf, type Outcome, type Series } from "../expected.ts";
import { hour, minute, simulationStart, timezone } from "../plan.ts";
import { isDue, settingsOf, sharedRegime } from "../regimes.ts";
import { ServedResponses } from "../served-responses.ts";
import { responsesTo } from "../storms.ts";
import { Crew } from "./crew.ts";
import { SimulatedDatabase } from "./database.ts";

/**
 * When a machine dies: between two slots; before the exchange responds; before or after the commit of its run. `suspended`: it sleeps
 * past the deadline of its run, and comes back with the responses.
 */
const moments = ["between", "asked", "unwritten", "written", "suspended"] as const;

/** Days between two outages of PostgreSQL. */
const outageDays = 20;

const slotMs = 2 * hour;
const ok: Outcome = { state: "ok", causes: [null] };
const late: Outcome = { state: "ok", causes: ["late"] };

export interface MachinesOptions {
  bin: string;
  days: number;
  seed: number;
  machines: number;
  folder: string;
  passed(day: number): void;
}

export async function simulateMachines(options: MachinesOptions): Promise<Stored & { counts: Record<string, number> }> {
  const simulation = await Machines.start(options);
  try {
    return await simulation.run();
  } finally {
    await simulation.close();
  }
}

class Machines {
  readonly #options: MachinesOptions;
  readonly #exchange: Simulator;
  readonly #truth: ManualClock;
  readonly #database: SimulatedDatabase;
  readonly #crew: Crew;
  readonly #chance: Random;
  readonly #expected = new ExpectedRuns();
  readonly #served = new ServedResponses();
  readonly #counts: Record<string, number> = {};
  /** The machine that is down, and when it comes back. */
  #dead: { name: string; until: number; isSuspended: boolean } | null = null;
  #slot = simulationStart;

  static async start(options: MachinesOptions): Promise<Machines> {
    const truth = new ManualClock(simulationStart);
    const accounts = [classic, { ...unified, mode: "classic" as const }];
    const exchange = await startSimulator({ clock: truth, seed: options.seed, from: simulationStart, accounts });
    const database = await SimulatedDatabase.start(options.bin, simulationStart);
    return new Machines(options, exchange, truth, database);
  }

  private constructor(options: MachinesOptions, exchange: Simulator, truth: ManualClock, database: SimulatedDatabase) {
    this.#options = options;
    this.#exchange = exchange;
    this.#truth = truth;
    this.#database = database;
    this.#chance = random(options.seed + 1);
    this.#crew = new Crew(
      truth,
      (now) => database.setClock(now),
      (name) => this.#settings(name),
    );
  }

  async run(): Promise<Stored & { counts: Record<string, number> }> {
    const { days, machines, folder, passed } = this.#options;
    for (let n = 1; n <= machines; n += 1) await this.#startMachine(`machine-${n}`);
    for (let day = 1; day <= days; day += 1) {
      const dying = this.#chance.integer(1, 24 / 2 - 1);
      const isOutage = day % outageDays === 0;
      for (let n = 0; n < (24 * hour) / slotMs; n += 1) {
        this.#slot = Math.floor(this.#truth.now() / slotMs) * slotMs + slotMs;
        await this.#revive();
        if (n === dying && this.#dead === null) await this.#die(day);
        else if (isOutage && n === dying - 1) await this.#outage();
        else await this.#passSlot();
        this.#served.add(this.#exchange.record.splice(0));
      }
      passed(day);
    }
    await this.#revive(Number.POSITIVE_INFINITY);
    // Runs of machines that died are failed by the others.
    while ((await this.#database.running()) > 0) await this.#crew.advanceTo(this.#truth.now() + minute);
    await this.#crew.stop();
    const path = join(folder, "mirror.db");
    await mirror(this.#database.postgres, path, { datasets, now: () => this.#truth.now() });
    return { path, expected: this.#expected, served: this.#served.served, upgraded: Infinity, counts: this.#counts };
  }

  async close(): Promise<void> {
    this.#crew.close();
    await this.#exchange.close();
    await this.#database.close();
  }

  #settings(name: string): Record<string, string> {
    return {
      BITGET_ACCOUNTS: "main,hedge",
      ...credentials(classic, "BITGET_MAIN"),
      ...credentials(unified, "BITGET_HEDGE"),
      BITGET_BASE_URL: this.#exchange.url,
      DATABASE_URL: this.#database.url,
      HTTP_PORT: "",
      SCHEDULE_REPORTS: "",
      TIMEZONE: timezone,
      LOG_LEVEL: "silent",
      WORKER_NAME: name,
      ...settingsOf(sharedRegime),
    };
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
  }

  async #startMachine(name: string): Promise<void> {
    await this.#crew.start(name);
    this.#count("starts");
  }

  /** Brings the machine that is down back before the next slot, if it is time. */
  async #revive(now = this.#slot): Promise<void> {
    if (this.#dead === null || this.#dead.until >= now) return;
    const { name, until, isSuspended } = this.#dead;
    this.#dead = null;
    await this.#crew.advanceTo(Math.max(this.#truth.now() + minute, Math.min(until, this.#slot - minute)));
    if (!isSuspended) return this.#startMachine(name);
    const woken = this.#crew.wake(name);
    this.#truth.release();
    await woken;
    await this.#crew.advanceTo(this.#truth.now() + 5000);
  }

  #due(): Series[] {
    return allSeries.filter(({ dataset }) => isDue(sharedRegime, dataset, this.#slot));
  }

  #expect(outcomeOf: (series: Series) => Outcome): void {
    for (const series of this.#due()) this.#expected.outcomes.get(nameOf(series))?.set(this.#slot, outcomeOf(series));
  }

  /** Lets everybody see who is live, and the slot come. */
  async #reachSlot(): Promise<void> {
    await this.#crew.advanceTo(this.#slot - 3000);
    await this.#crew.advanceTo(this.#slot - this.#chance.integer(300, 900));
    await this.#crew.advanceTo(this.#slot + this.#chance.integer(5, 900));
  }

  async #passSlot(): Promise<void> {
    this.#expect(() => ok);
    await this.#reachSlot();
  }

  /** PostgreSQL is away when the slot comes. */
  async #outage(): Promise<void> {
    this.#count("outages of PostgreSQL");
    await this.#crew.advanceTo(this.#slot - 3000);
    await this.#database.stop();
    await this.#crew.advanceTo(this.#slot + 100);
    await this.#crew.advanceTo(this.#slot + 3000);
    await this.#database.restart();
    this.#expect(() => late);
    for (let second = 8; second < 30; second += 2) await this.#crew.advanceTo(this.#slot + second * 1000);
  }

  async #die(day: number): Promise<void> {
    const moment = moments[day % moments.length] ?? "between";
    const victim = this.#victim();
    const until = this.#slot + this.#chance.integer(1, 20) * hour;
    if (moment === "between" || victim === null) {
      this.#count("killed between");
      const name = this.#chance.pick(this.#crew.names);
      await this.#crew.kill(name);
      this.#dead = { name, until, isSuspended: false };
      return this.#passSlot();
    }
    this.#count(moment === "suspended" ? moment : `killed ${moment}`);
    const isVictim = (series: Series) => nameOf(series) === nameOf(victim);
    this.#expect((series) => (isVictim(series) && moment !== "written" ? crashed : ok));
    this.#exchange.injectFault({
      path: pathOf(victim.dataset, "v2") ?? "",
      account: victim.account,
      delayMs: 10_000 * hour,
      times: Infinity,
    });
    const name = await this.#holdAtSlot(victim);
    this.#exchange.clearFaults();
    this.#dead = { name, until, isSuspended: moment === "suspended" };
    if (moment === "suspended") return;
    if (moment === "asked") await this.#crew.kill(name);
    else await this.#crew.killInNextWrite(name, moment, () => this.#truth.release());
    this.#truth.release();
  }

  /** Reaches a slot in which the responses to one run are withheld. Returns the machine that waits for them. */
  async #holdAtSlot({ account, dataset }: Series): Promise<string> {
    let isReached = false;
    const reached = this.#reachSlot().finally(() => {
      isReached = true;
    });
    let name: string | null = null;
    while (name === null && !isReached) {
      name = await this.#database.workerOf(account, dataset);
      await sleep(5);
    }
    if (name === null) throw new Error(`nobody ran ${account} ${dataset}`);
    this.#crew.withhold(name, responsesTo({ account, dataset }, "v2"));
    await reached;
    return name;
  }

  /** Returns a run of the slot that no other run depends on; null where there is none. */
  #victim(): Series | null {
    const due = this.#due();
    const possible = due.filter(({ dataset }) => dataset === "positions");
    const isAlone = !due.some(({ dataset }) => dataset === "prices");
    const others = isAlone ? due.filter(({ dataset }) => dataset === "spot-assets") : [];
    const all = possible.length > 0 ? possible : others;
    return all.length > 0 ? this.#chance.pick(all) : null;
  }
}
