import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Secret } from "../src/core/domain.ts";
import { Postgres } from "../src/store/postgres/connection.ts";
import { setup as build } from "../test/support/build.ts";
import { findPostgres, Server } from "../test/support/postgres.ts";
import { launch, type Running } from "../test/support/program.ts";
import { everyDataset } from "../test/support/settings.ts";
import { accountsOf, type Exchange, startExchange } from "./exchange.ts";
import { type Comparison, compare, type Figure } from "./figure.ts";
import { newFolder } from "./folder.ts";

const names = ["one", "two", "three", "four"];
const datasets = ["SPOT_ASSETS", "POSITIONS", "MIX_ACCOUNTS"];
const minute = 60_000;
/** Runs in flight of a process at most. */
const maxInFlight = 60;

export const workers: Figure = {
  name: "workers",
  summary:
    "four processes that record into one PostgreSQL: 1,000 accounts (--quick: 100) with three datasets a minute; one of them is killed",
  async run({ quick }) {
    const bin = findPostgres();
    if (bin === null) throw new Error("no PostgreSQL was found (apt-get install postgresql)");
    build();
    const count = quick ? 100 : 1000;
    const bench = new Bench(new Server(bin), await startExchange(null, 0, count), count);
    try {
      await bench.server.start([]);
      const spread = await bench.measured("* * * * *", quick ? 1 : 3);
      return [...spread, ...(await bench.killed("0 * * * * *"))];
    } finally {
      await bench.close();
    }
  },
};

class Bench {
  readonly server: Server;
  readonly #exchange: Exchange;
  readonly #count: number;
  readonly #folder = newFolder();
  #running: Running[] = [];

  constructor(server: Server, exchange: Exchange, count: number) {
    this.server = server;
    this.#exchange = exchange;
    this.#count = count;
    const entries = accountsOf(count).map(({ name, key, secret, passphrase }) => ({ name, key, secret, passphrase }));
    writeFileSync(this.#file, JSON.stringify(entries), { mode: 0o600 });
  }

  get #file(): string {
    return join(this.#folder, "accounts.json");
  }

  get #runsPerMinute(): number {
    return this.#count * datasets.length;
  }

  /** Measures `minutes` in which the accounts are due in different seconds. */
  async measured(pattern: string, minutes: number): Promise<Comparison[]> {
    const postgres = await this.#startAll(pattern);
    const started = await this.#exchange.status();
    const before = this.#cpuMs();
    const from = Date.now();
    await sleep(minutes * minute);
    const cpu = (this.#cpuMs() - before) / (Date.now() - from);
    const [{ ms = Number.NaN, longest = Number.NaN } = {}] = await postgres.query<{ ms: number; longest: number }>(
      `select percentile_disc(0.99) within group (order by s.taken_at_ms - r.scheduled_for_ms) as ms,
         max(s.taken_at_ms - r.scheduled_for_ms) as longest
       from snapshots s join runs r using (run_id)
       where s.state = 'ok' and r.scheduled_for_ms between ${from} and ${from + minutes * minute - 1000}`,
    );
    const states = await postgres.query(
      `select state, count(*) as runs from runs where scheduled_for_ms between ${from} and ${from + minutes * minute - 1000} group by 1`,
    );
    console.error(`slots: ${JSON.stringify(states)}`);
    const { limitViolations } = await this.#exchange.status();
    await postgres.close();
    await this.#stopAll();
    const every = `${this.#count} accounts × ${datasets.length} a minute`;
    return [
      compare(`CPU of PostgreSQL, of a core: ${every}`, 100 * cpu, "%", "required", 10),
      compare(`from slot to response, 99th percentile: ${every}`, ms, "ms", "the longest", longest),
      compare(
        "requests above a limit",
        limitViolations - started.limitViolations,
        "requests",
        "while the four started at once, and checked every key",
        started.limitViolations,
      ),
    ];
  }

  /** Kills one process while all accounts are due in the same second. */
  async killed(pattern: string): Promise<Comparison[]> {
    const postgres = await this.#startAll(pattern);
    const before = await this.#exchange.status();
    const slot = Math.ceil(Date.now() / minute) * minute;
    const victim = names[1];
    await sleep(slot + 1000 - Date.now());
    const inFlight = async (): Promise<number> => {
      const query = "select count(*) as n from run where state = 'running' and worker = $1";
      const [found] = await postgres.query<{ n: number }>(query, [victim ?? ""]);
      return found?.n ?? 0;
    };
    const enough = Math.min(maxInFlight / 2, this.#count / names.length / 2);
    while ((await inFlight()) < enough && Date.now() < slot + minute / 3) await sleep(20);
    this.#running[1]?.child.kill("SIGKILL");
    const runs = (of: number) =>
      postgres.query<{ state: string; cause: string | null; n: number }>(
        "select state, cause, count(*) as n from runs where scheduled_for_ms = $1 group by 1, 2 order by 1, 2",
        [of],
      );
    const next = slot + minute;
    for (const one of [slot, next])
      while (!(await this.#isEnded(postgres, one)) && Date.now() < one + 3 * minute) await sleep(500);
    const [own, after] = [await runs(slot), await runs(next)];
    console.error(`the slot: ${JSON.stringify(own)}; the next one: ${JSON.stringify(after)}`);
    const numberOf = (found: typeof own, isMeant: (run: (typeof own)[number]) => boolean) =>
      found.filter(isMeant).reduce((sum, { n }) => sum + n, 0);
    await postgres.close();
    await this.#stopAll();
    const { repeated } = await this.#exchange.status();
    return [
      compare(
        "one of four killed in the middle of a slot: runs failed (crashed)",
        numberOf(own, ({ cause }) => cause === "crashed"),
        "runs",
        "at most",
        maxInFlight,
      ),
      compare(
        "other slots that were not run",
        numberOf(own, ({ state, cause }) => state !== "ok" && cause !== "crashed"),
        "runs",
        "required",
        0,
      ),
      compare(
        "runs of the next slot",
        numberOf(after, ({ state }) => state === "ok"),
        "runs",
        "due",
        this.#runsPerMinute,
      ),
      compare("slots requested twice", repeated - before.repeated, "runs", "required", 0),
    ];
  }

  async #isEnded(postgres: Postgres, slot: number): Promise<boolean> {
    const [found] = await postgres.query<{ n: number }>(
      "select count(*) as n from run where slot = $1 and state <> 'running'",
      [slot],
    );
    return found?.n === this.#runsPerMinute;
  }

  /** Starts the processes, each with an address of its own. Resolves after a whole minute in which every slot was run. */
  async #startAll(pattern: string): Promise<Postgres> {
    const url = `postgres://postgres@${encodeURIComponent(this.server.folder)}/postgres`;
    this.#running = names.map((name, at) =>
      launch(["start"], this.#folder, {
        ...everyDataset(""),
        ...Object.fromEntries(datasets.map((dataset) => [`SCHEDULE_${dataset}`, pattern])),
        BITGET_ACCOUNTS_FILE: this.#file,
        BITGET_BASE_URL: this.#exchange.url,
        BITGET_PRODUCT_TYPES: "umcbl",
        DATABASE_URL: url,
        LOG_LEVEL: "error",
        SCHEDULE_REPORTS: "",
        SOURCE_ADDRESSES: `127.0.0.${at + 2}`,
        WORKER_NAME: name,
      }),
    );
    const postgres = await Postgres.open(new Secret(url), { name: "bench" });
    const startedAt = Date.now();
    const isWhole = async (): Promise<boolean> => {
      const last = Math.floor(Date.now() / minute) * minute - minute;
      if (last < startedAt) return false;
      const [found] = await postgres
        .query<{ n: number; workers: number }>(
          `select count(*) as n, count(distinct worker) as workers from run
           where slot >= ${last} and slot < ${last + minute} and state = 'ok'`,
        )
        .catch(() => []);
      return found?.n === this.#runsPerMinute && found.workers === names.length;
    };
    while (!(await isWhole())) {
      await sleep(1000);
      const ended = this.#running.find(({ child }) => child.exitCode !== null);
      if (ended) throw new Error(`a process ended: ${(await ended.finished).stderr}`);
      if (Date.now() > startedAt + 8 * minute) throw new Error("no minute in which every slot was run");
    }
    return postgres;
  }

  async #stopAll(): Promise<void> {
    for (const { child } of this.#running) child.kill("SIGTERM");
    await Promise.all(this.#running.map(({ finished }) => finished));
  }

  /** Returns the CPU time of all processes of the server, those that have ended included. Milliseconds. */
  #cpuMs(): number {
    const parent = this.server.pid;
    const ticks = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => {
        try {
          const stat = readFileSync(`/proc/${name}/stat`, "utf8");
          const [, ppid, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
          const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(9, 13).map(Number);
          if (Number(name) === parent) return user + system + endedUser + endedSystem;
          return Number(ppid) === parent ? user + system : 0;
        } catch {
          // It has ended meanwhile.
          return 0;
        }
      });
    return ticks.reduce((sum, one) => sum + one, 0) * 10;
  }

  async close(): Promise<void> {
    for (const { child } of this.#running) child.kill("SIGKILL");
    await Promise.all(this.#running.map(({ finished }) => finished));
    await this.#exchange.close();
    await this.server.remove();
    rmSync(this.#folder, { recursive: true });
  }
}
