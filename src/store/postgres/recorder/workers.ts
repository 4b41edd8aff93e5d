/**
 * Keeps the row of this process among those that record into one PostgreSQL. A process counts as live for ten seconds after it was last
 * seen, by the clock of the database. The first live process of an account claims its slots when they are due, the next one five seconds
 * later if the slot has no run then. A paused process comes after the others.
 */
import { type Clock, sleep } from "../../../core/clock.ts";
import { publicAccount } from "../../../core/domain.ts";
import { ConfigError, LockedError } from "../../../core/errors.ts";
import { dayMs } from "../../../core/time.ts";
import { liveMs } from "../../runs/workers.ts";
import type { KeyHolder } from "../../store.ts";
import type { Connection, Postgres } from "../connection.ts";
import { type Candidate, rankOf } from "./rank.ts";

const beatMs = 2000;
const rankMs = 5000;
/** How long a process that is gone keeps its row. Milliseconds. */
const forgottenMs = 30 * dayMs;

/** What a process says about itself. */
export interface WorkerDescription {
  name: string;
  version: string;
  /** What must be the same in all processes, as text by name: the schedules, the product types, and demo trading. */
  settings: Readonly<Record<string, string>>;
  /** The names of the accounts whose keys it has. */
  accounts: readonly string[];
  /** Those whose sub-accounts it collects. */
  mains?: readonly string[];
}

type Stored = Pick<WorkerDescription, "settings" | "accounts" | "mains">;

interface WorkerRow extends Candidate {
  seenAt: number;
  stored: Stored;
}

export class Worker {
  readonly #postgres: Postgres;
  readonly #own: WorkerDescription;
  readonly #clock: Clock;
  /** The times that its row may have: a commit may have happened although it was not confirmed. */
  #seenAt: number[];
  #others: readonly WorkerRow[];
  /** The delay of each account among the live processes. */
  readonly #delays = new Map<string, number>();
  /** A monotonic instant, and the same by the clock of the database; null until the next beat. */
  #pauseEnds = { monotonic: Number.NEGATIVE_INFINITY, database: null as number | null };
  #isLost = false;
  #cancel = () => {};

  /**
   * Adds the process, and keeps it live until `close`. Waits until a process of this name that has ended no longer counts as live.
   * @throws LockedError where a live process has the name; ConfigError where a live one has other settings, with the difference
   */
  static async register(postgres: Postgres, own: WorkerDescription, clock: Clock): Promise<Worker> {
    let before: number | null = null;
    for (;;) {
      const { now, others, same } = await postgres.transaction((connection) =>
        enter(connection, own, postgres.address.text),
      );
      if (same === null) return new Worker(postgres, own, clock, now, others);
      if (before !== null && same !== before)
        throw new LockedError(
          `A process named ${own.name} records into PostgreSQL at ${postgres.address.text} already. Stop it, or set another WORKER_NAME.`,
        );
      before = same;
      await sleep(clock, beatMs / 2);
    }
  }

  private constructor(
    postgres: Postgres,
    own: WorkerDescription,
    clock: Clock,
    now: number,
    others: readonly WorkerRow[],
  ) {
    this.#postgres = postgres;
    this.#own = own;
    this.#clock = clock;
    this.#seenAt = [now];
    this.#others = others;
  }

  /** Keeps the process live. Calls `onBeat` each time. */
  start(onBeat: () => Promise<unknown>): void {
    this.#cancel = this.#clock.after(beatMs, () => {
      void this.beat()
        .then(onBeat)
        // While the server is away nothing can be claimed either.
        .catch(() => {})
        .finally(() => {
          if (!this.#isLost) this.start(onBeat);
        });
    });
  }

  /** Whether another process has taken the name over, as after this one was suspended. It must not record any more. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Returns how long after a slot this process may claim it, milliseconds. 0: it is the first one of the account. */
  delayMs(account: string): number {
    const [main = account, isSub] = account.split("/");
    const key = isSub === undefined ? main : `${main}/`;
    const known = this.#delays.get(key);
    if (known !== undefined) return known;
    const able = this.#others.filter(({ stored }) => isAble(stored, account));
    // An account that no live process can run is the same for all of them.
    const isOwn = isAble(this.#own, account) || able.length === 0;
    const { name } = this.#own;
    const rank = isOwn
      ? rankOf({ name, isPaused: this.#pauseMs() > 0 }, main, able.length > 0 ? able : this.#others)
      : able.length;
    this.#delays.set(key, rank * rankMs);
    return rank * rankMs;
  }

  /** Returns whether no live process can run an account, and this one is the first of all. */
  isAbandoned(account: string): boolean {
    const isOrphan = ![this.#own, ...this.#others.map(({ stored }) => stored)].some((one) => isAble(one, account));
    return isOrphan && this.delayMs(account) === 0;
  }

  hasOthers(): boolean {
    return this.#others.length > 0;
  }

  /** Lets the others claim slots before this process for `ms`: it knows that at once, the others from its next beat on. */
  pause(ms: number): void {
    const monotonic = this.#clock.monotonic() + ms;
    if (monotonic <= this.#pauseEnds.monotonic) return;
    this.#pauseEnds = { monotonic, database: null };
    this.#delays.clear();
  }

  #pauseMs(): number {
    return Math.max(0, Math.ceil(this.#pauseEnds.monotonic - this.#clock.monotonic()));
  }

  /** Says that the process is live, and whether it is paused; reads which others are. */
  async beat(): Promise<void> {
    const found = await this.#postgres.transaction(async (connection) => {
      const { now, others } = await readWorkers(connection, this.#own.name);
      const pauseMs = this.#pauseMs();
      const pausedUntil = pauseMs === 0 ? null : (this.#pauseEnds.database ?? now + pauseMs);
      this.#pauseEnds.database = pausedUntil;
      const sql = "update worker set seen_at = $3, paused_until = $4 where name = $1 and seen_at = any($2)";
      const isOurs = (await connection.run(sql, [this.#own.name, this.#seenAt, now, pausedUntil])) === 1;
      this.#seenAt = [...this.#seenAt, now];
      return { now, others, isOurs };
    });
    this.#isLost = !found.isOurs;
    this.#seenAt = [found.now];
    this.#others = found.others;
    this.#delays.clear();
  }

  /** Removes the process, so that its successor starts at once. */
  async close(): Promise<void> {
    this.#cancel();
    if (this.#isLost) return;
    this.#isLost = true;
    await this.#postgres.run("delete from worker where name = $1 and seen_at = any($2)", [
      this.#own.name,
      this.#seenAt,
    ]);
  }
}

/** Returns whether a process can run an account. */
function isAble({ accounts, mains = [] }: Stored, account: string): boolean {
  const [main = account, isSub] = account.split("/");
  return account === publicAccount || (isSub === undefined ? accounts : mains).includes(main);
}

/** Keeps processes from registering, and live ones from saying so, until the transaction ends. */
export async function lockWorkers(connection: Connection): Promise<void> {
  await connection.run("lock table worker in share row exclusive mode");
}

/** Returns the processes that have the key of an account, by name. */
export async function findHolders(connection: Connection, account: string): Promise<KeyHolder[]> {
  const rows = await connection.query<{ name: string; ageMs: number; settings: string }>(
    `select name, now_ms() - seen_at as "ageMs", settings from worker order by name`,
  );
  return rows
    .filter(({ settings }) => isAble(JSON.parse(settings) as Stored, account))
    .map(({ name, ageMs }) => ({ name, ageMs: Math.max(0, ageMs), isLive: ageMs < liveMs }));
}

/** Adds the row of a process unless one of its name is live. Returns when that was seen last, null where it was added. */
async function enter(connection: Connection, own: WorkerDescription, server: string) {
  await lockWorkers(connection);
  const { now, others, same } = await readWorkers(connection, own.name);
  for (const { name, stored } of others) requireSameSettings(name, stored, own, server);
  if (same !== null) return { now, others, same };
  await connection.run("delete from worker where seen_at < $1", [now - forgottenMs]);
  const { settings, accounts, mains = [] } = own;
  await connection.run(
    `insert into worker (name, seen_at, version, settings, accounts) values ($1, $2, $3, $4, $5)
     on conflict (name) do update set seen_at = excluded.seen_at, version = excluded.version, settings = excluded.settings,
       accounts = excluded.accounts, paused_until = null`,
    [own.name, now, own.version, JSON.stringify({ settings, accounts, mains } satisfies Stored), accounts.length],
  );
  return { now, others, same: null };
}

/** Returns the time of the database, the other live processes, and when one of this name was seen last; null where none is live. */
async function readWorkers(connection: Connection, own: string) {
  const rows = await connection.query<{
    now: number;
    name: string | null;
    seenAt: number;
    isPaused: boolean;
    settings: string;
  }>(
    `select clock.now, w.name, w.seen_at as "seenAt", coalesce(w.paused_until > clock.now, false) as "isPaused", w.settings
     from (select now_ms() as now) clock left join worker w on w.seen_at > clock.now - $1`,
    [liveMs],
  );
  const live = rows.flatMap(({ name, seenAt, isPaused, settings }): WorkerRow[] =>
    name === null ? [] : [{ name, seenAt, isPaused, stored: JSON.parse(settings) as Stored }],
  );
  return {
    now: rows[0]?.now ?? 0,
    others: live.filter(({ name }) => name !== own),
    same: live.find(({ name }) => name === own)?.seenAt ?? null,
  };
}

/** Returns the settings of a process that must be those of another one. A process can name only main accounts whose keys it has. */
function settingsBeside({ settings, mains = [] }: Stored, { accounts }: Stored): Record<string, string | undefined> {
  const common = mains.filter((main) => accounts.includes(main));
  // Named only where it is used, and never by older versions.
  return { BITGET_DEMO_TRADING: "false", ...settings, SUB_ACCOUNTS_OF: common.sort().join(",") };
}

/** @throws ConfigError naming the settings that differ */
function requireSameSettings(name: string, other: Stored, own: WorkerDescription, server: string): void {
  const [here, there] = [settingsBeside(own, other), settingsBeside(other, own)];
  const names = [...new Set([...Object.keys(there), ...Object.keys(here)])];
  const different = names.filter((one) => there[one] !== here[one]);
  if (different.length === 0) return;
  const problems = different.map((one) => `${one}=${here[one] ?? ""} (there ${there[one] ?? ""})`);
  throw new ConfigError([
    `The process ${name}, which records into PostgreSQL at ${server}, has other settings: ${problems.join(", ")}. They must be the same.`,
  ]);
}
