/**
 * Makes an SQLite file of a history in PostgreSQL and keeps it up to date: the same tables with the same ids and chains. Each pass copies
 * one state of the history in one transaction, so that the file has a state that existed, whenever a pass is interrupted.
 */
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Secret } from "../../../core/domain.ts";
import { ConfigError, LockedError } from "../../../core/errors.ts";
import type { AnyDataset } from "../../../datasets/incremental.ts";
import { viewsOf } from "../../schema/views.ts";
import { createDatabase, inspectFile, openReadOnly, openWriter, type Sqlite } from "../../sqlite/database.ts";
import { lockPath } from "../../sqlite/lock.ts";
import { ownMigrations, pendingMigrations } from "../../sqlite/migrations.ts";
import { applyMigrations } from "../../transfer/migrate.ts";
import { type Connection, Postgres } from "../connection.ts";
import { hasHistory, requireSchema } from "../migrations.ts";
import { copiedTables } from "../tables.ts";
import { copyChanges, type Pass } from "./mirror-changes.ts";
import {
  type ChainPosition,
  createPositions,
  type MirrorState,
  mirrorState,
  readPositions,
  writePositions,
} from "./mirror-position.ts";
import { RowCopier } from "./rows.ts";

/** What a pass did. */
export interface Mirrored {
  /** Rows that were copied. */
  rows: number;
  /** When the history had the state that the file has now, epoch ms; by the clock of PostgreSQL unless it has the copy of a file. */
  at: number;
}

export interface MirrorOptions {
  datasets: readonly AnyDataset[];
  /** Epoch ms. */
  now(): number;
  /** Aborts the pass, which then has changed nothing; its reason is thrown. */
  signal?: AbortSignal;
}

/** Copies the current state of a history to the file at `path`, which is created where it is missing; the caller holds its lock. @throws ConfigError where the file is no mirror of this history; StorageError */
export async function mirror(postgres: Postgres, path: string, options: MirrorOptions): Promise<Mirrored> {
  await requireSchema(postgres);
  const sqlite = inspectFile(path) === "new" ? null : openMirror(path);
  if (sqlite) return updateMirror(postgres, path, sqlite, options).finally(() => sqlite.close());
  let done: Mirrored | undefined;
  await createDatabase(path, async (draft) => {
    // The draft is either complete and on disk, or discarded.
    for (const setting of ["journal_mode = OFF", "synchronous = OFF"]) draft.pragma(setting);
    const views = viewsOf(options.datasets);
    applyMigrations(draft, { pending: ownMigrations(), views, now: options.now() });
    createPositions(draft);
    done = await copyState(postgres, draft, options, async ({ pass, heads }) => {
      for (const table of pass.tables.values()) await pass.copier.copy(table);
      return withSnapshots(heads, await lastSnapshots(pass.source));
    });
    draft.pragma("journal_mode = WAL");
  });
  return done as Mirrored;
}

/** How long to wait for another process that copies to a mirror, and the pause between two attempts. Milliseconds. */
export const lockMs = { once: 1000, longest: 60_000, pause: 50 };

/**
 * Runs `copy` while no other process copies to the mirror; those that read it are not kept out. Waits for `ms` at most (default: a
 * second) where another one does. @throws LockedError; the reason of `signal`
 */
export async function withMirrorLock<T>(
  path: string,
  copy: () => Promise<T>,
  { ms = lockMs.once, signal }: { ms?: number; signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const until = performance.now() + ms;
  let lock = lockFor(path, until);
  for (; !lock; lock = lockFor(path, until)) await sleep(lockMs.pause, undefined, { signal });
  try {
    return await copy();
  } finally {
    lock.release();
  }
}

/** Returns the lock of a mirror; null while another has it, until an instant of the monotonic clock. */
function lockFor(path: string, until: number): { release(): void } | null {
  try {
    return lockPath(`${path}.mirror`, 0);
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    if (performance.now() < until) return null;
    throw new LockedError(`Another process copies to ${path}. Wait until it has ended, or name another file.`);
  }
}

/** Returns the state of the mirror at `path`; null where there is none. @throws ConfigError where the file cannot be read */
export function stateOfMirror(path: string): MirrorState | null {
  if (inspectFile(path) === "new") return null;
  const sqlite = openReadOnly(path);
  try {
    return mirrorState(sqlite);
  } finally {
    sqlite.close();
  }
}

/** Opens the file for writing; null where an older program made it, so that it is made again. @throws ConfigError where it is no mirror */
function openMirror(path: string): Sqlite | null {
  const sqlite = openWriter(path);
  try {
    if (mirrorState(sqlite) === null)
      throw new ConfigError([`${path} is not a mirror of a history in PostgreSQL. Name another file.`]);
    if (pendingMigrations(path, sqlite, ownMigrations()).length === 0) return sqlite;
  } catch (error) {
    sqlite.close();
    throw error;
  }
  sqlite.close();
  // Those who read it go on reading the deleted files.
  for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true });
  return null;
}

/** Adds what is new to a mirror. */
function updateMirror(postgres: Postgres, path: string, sqlite: Sqlite, options: MirrorOptions): Promise<Mirrored> {
  return copyState(postgres, sqlite, options, async ({ pass, heads }) => {
    const known = readPositions(sqlite);
    await requireSameHistory(pass.source, known, path, postgres.address.text);
    const begin = { link: 0, snapshot: 0 };
    const changed = heads.filter(({ chain, link }) => link > (known.get(chain) ?? begin).link);
    const before = changed.map(({ chain }) => ({ ...begin, ...known.get(chain), chain }));
    const last = await copyChanges(pass, before);
    return changed.map((head, at) => ({ ...head, snapshot: last.get(head.chain) ?? before[at]?.snapshot ?? 0 }));
  });
}

/** The last link of a chain in PostgreSQL. */
type Head = Omit<ChainPosition, "snapshot">;

/** Runs `copy` in one transaction of both databases, and stores the positions that it returns. */
async function copyState(
  postgres: Postgres,
  sqlite: Sqlite,
  { datasets, signal }: MirrorOptions,
  copy: (state: { pass: Pass; heads: Head[] }) => Promise<ChainPosition[]>,
): Promise<Mirrored> {
  // Rows arrive in the order of PostgreSQL, and their parents may come later.
  sqlite.pragma("foreign_keys = OFF");
  sqlite.exec("begin immediate");
  try {
    const done = await postgres.transaction(async (source) => {
      const [[at] = []] = await source.cells("select coalesce((select at from shipped), now_ms())");
      if (at === 0)
        throw new ConfigError([
          `The first copy to PostgreSQL at ${postgres.address.text} is not complete. Wait until it is; \`bitget-collector status\` shows how far it is.`,
        ]);
      const tables = new Map(copiedTables(datasets).map((table) => [table.name, table]));
      const copier = new RowCopier(source, sqlite, signal);
      const positions = await copy({
        pass: { source, sqlite, copier, tables, datasets },
        heads: await headsOf(source),
      });
      writePositions(sqlite, positions, { source: postgres.address.text, at: Number(at) });
      return { rows: copier.rows, at: Number(at) };
    }, "isolation level repeatable read read only");
    sqlite.exec("commit");
    return done;
  } finally {
    if (sqlite.inTransaction) sqlite.exec("rollback");
  }
}

/** Returns the last link of each chain. */
const headsOf = (source: Connection): Promise<Head[]> =>
  source.query<Head>(
    `select c.chain, l.id as link, l.digest from (select 0 as chain union all select id from account) c
     cross join lateral (select id, digest from link where chain = c.chain order by id desc limit 1) l`,
  );

/** Returns the last snapshot of each account, and of all as that of chain 0. */
async function lastSnapshots(source: Connection): Promise<Map<number, number>> {
  const found = await source.cells(
    `select e.account_id, max(n.id) from snapshot n join scope p on p.id = n.scope_id
       join series e on e.id = p.series_id group by e.account_id
     union all select 0, max(id) from snapshot`,
  );
  return new Map(found.map(([chain, id]) => [Number(chain), Number(id)]));
}

const withSnapshots = (heads: readonly Head[], last: ReadonlyMap<number, number>): ChainPosition[] =>
  heads.map((head) => ({ ...head, snapshot: last.get(head.chain) ?? 0 }));

/** Checks that PostgreSQL still has the last link of each chain of a mirror. @throws ConfigError with both where it does not */
async function requireSameHistory(
  source: Connection,
  known: ReadonlyMap<number, ChainPosition>,
  path: string,
  text: string,
): Promise<void> {
  const all = [...known.values()];
  const found = await source.query<{ digest: Buffer | null }>(
    `select l.digest from unnest($1::bigint[], $2::bigint[]) with ordinality k(chain, link, place)
     left join link l on l.chain = k.chain and l.id = k.link order by k.place`,
    [all.map(({ chain }) => chain), all.map(({ link }) => link)],
  );
  for (const [at, { link, digest }] of all.entries()) {
    const there = found[at]?.digest;
    if (there?.equals(digest)) continue;
    throw new ConfigError([
      `${path} is a mirror of another history than that in PostgreSQL at ${text}, or of one that was restored from an older backup: ` +
        `link ${link} is ${digest.toString("hex")} in the mirror and ${there?.toString("hex") ?? "missing"} in PostgreSQL. ` +
        "Compare both with `bitget-collector db verify`; move the file away to make a new mirror.",
    ]);
  }
}

/** Returns that PostgreSQL at an address has a history that this program can read, or none yet, as a sentence. @throws ConfigError, StorageError */
export async function describeHistory(url: Secret): Promise<string> {
  const postgres = await Postgres.open(url, { name: "check", connections: 1, readOnly: true });
  try {
    const { text } = postgres.address;
    if (!(await hasHistory(postgres)))
      return `PostgreSQL at ${text} has no history yet; the first start or collect creates it`;
    await requireSchema(postgres);
    return `PostgreSQL at ${text} is up to date`;
  } finally {
    await postgres.close();
  }
}
