/**
 * Ships an SQLite history to PostgreSQL: a copy with the same rows, brought up to date in passes. Each pass copies one state of the file,
 * read in one transaction, and its position moves in the transaction that writes the rows. Whatever ends a pass, nothing is lost and
 * nothing is written twice. Only the first copy takes several transactions; until the last one the position has no time.
 */
import { ConfigError } from "../../../core/errors.ts";
import type { AnyDataset } from "../../../datasets/incremental.ts";
import { openReadOnly, type Sqlite } from "../../sqlite/database.ts";
import type { Connection, Parameter, Postgres } from "../connection.ts";
import { prepareSchema } from "../migrations.ts";
import { type CopiedTable, copiedTables } from "../tables.ts";
import { mirrorState } from "./mirror-position.ts";
import { type Part, prepared, RowWriter } from "./row-writer.ts";
import { type Position, type ShipEnd, type ShipMemory, shipChanges } from "./ship-changes.ts";

/** The result of a pass: rows written, and when the state that was copied was read, epoch ms. */
export interface Shipped {
  rows: number;
  at: number;
}

/** Links of a transaction of the first copy. */
const linksAtOnce = 5000;

/** Thrown where the position is not that of the last pass of this process. */
class OtherPosition extends Error {}

/** Ships one file to one PostgreSQL schema. */
export class Shipper {
  readonly #path: string;
  readonly #sqlite: Sqlite;
  readonly #postgres: Postgres;
  readonly #datasets: readonly AnyDataset[];
  readonly #tables: ReadonlyMap<string, CopiedTable>;
  readonly #now: () => number;
  readonly #signal: AbortSignal | undefined;
  readonly #linksAtOnce: number;
  readonly #onPart: ((link: number) => void) | undefined;
  #isPrepared = false;
  /** What the last pass copied; null where it is unknown whether it did. */
  #memory: ShipMemory | null = null;
  /** The version of the file that was shipped last; null: none. */
  #version: number | null = null;

  /** Opens the file for reading. @throws ConfigError where it is not a database of this program, or a mirror */
  constructor(options: {
    path: string;
    postgres: Postgres;
    datasets: readonly AnyDataset[];
    /** Returns the time, epoch ms. */
    now: () => number;
    signal?: AbortSignal | undefined;
    /** Links that a transaction of the first copy covers. Default: 5000. */
    linksAtOnce?: number;
    /** Called where a transaction did not complete the first copy, with the last link that it copied. */
    onPart?: ((link: number) => void) | undefined;
  }) {
    this.#path = options.path;
    this.#sqlite = openReadOnly(options.path);
    if (mirrorState(this.#sqlite) !== null) {
      this.#sqlite.close();
      // Its chains grow one after the other, so that the last link says nothing about the others.
      throw new ConfigError([`${options.path} is a mirror: its history is in PostgreSQL already.`]);
    }
    this.#postgres = options.postgres;
    this.#datasets = options.datasets;
    this.#tables = new Map(copiedTables(options.datasets).map((table) => [table.name, table]));
    this.#now = options.now;
    this.#signal = options.signal;
    this.#linksAtOnce = options.linksAtOnce ?? linksAtOnce;
    this.#onPart = options.onPart;
  }

  /**
   * Copies what changed since the last pass; nothing where the file has not changed. @throws ConfigError where PostgreSQL has another history,
   * or a later state of this one; StorageError where it cannot be reached
   */
  async pass(): Promise<Shipped> {
    if (!this.#isPrepared) await prepareSchema(this.#postgres, this.#datasets);
    this.#isPrepared = true;
    const done = { rows: 0, at: this.#now() };
    for (let isComplete = false; !isComplete; ) {
      const version = Number(prepared(this.#sqlite, "pragma data_version").get()?.[0]);
      if (version === this.#version) break;
      done.at = this.#now();
      const copied = await this.#copyState(done.at);
      done.rows += copied.rows;
      isComplete = copied.isLast;
      if (isComplete) this.#version = version;
      else if (this.#memory) this.#onPart?.(this.#memory.link);
    }
    return done;
  }

  close(): void {
    this.#sqlite.close();
  }

  /** Copies one state of the file, or of a first copy as much as one transaction may have. */
  async #copyState(at: number): Promise<{ rows: number; isLast: boolean }> {
    this.#version = null;
    this.#sqlite.exec("begin");
    try {
      return await this.#postgres.session(async (connection) => {
        const target = new LateTransaction(connection, this.#memory, (open) => this.#position(open));
        try {
          const done = await this.#copy(target, at);
          await target.end("commit");
          return done;
        } catch (error) {
          await target.end("rollback").catch(() => {});
          throw error;
        }
      });
    } catch (error) {
      // Whether the transaction was committed is unknown.
      this.#memory = null;
      if (error instanceof OtherPosition) return { rows: 0, isLast: false };
      throw error;
    } finally {
      this.#sqlite.exec("rollback");
    }
  }

  async #copy(target: LateTransaction, at: number): Promise<{ rows: number; isLast: boolean }> {
    const memory = this.#memory ?? (await target.memory());
    const sqlite = this.#sqlite;
    const writer = new RowWriter(sqlite, target, memory.odd, this.#signal);
    const through = endOf(sqlite, memory, memory.at === 0 ? this.#linksAtOnce : Number.MAX_SAFE_INTEGER);
    const pass = { sqlite, target, writer, tables: this.#tables, datasets: this.#datasets, through };
    const next = {
      ...memory,
      ...(await shipChanges(pass, memory)),
      link: through.link,
      snapshot: Math.max(through.snapshot, memory.snapshot),
      head: linkDigest(sqlite, through.link) ?? Buffer.alloc(0),
      at: through.isLast ? at : 0,
    };
    // Where nothing was written before, this is the only statement of the pass.
    const position: Part = {
      name: "position",
      text: `update shipped set link = $1, snapshot = $2, head = $3, at = $4
        where id = 1 and link = $5 and snapshot = $6 and head = $7 returning id`,
      values: [...[next.link, next.snapshot, next.head, next.at], ...[memory.link, memory.snapshot, memory.head]],
    };
    if (!(await writer.finish(position, target.connection))) throw new OtherPosition();
    this.#memory = next;
    return { rows: writer.rows, isLast: through.isLast };
  }

  /** Locks the position, against a second shipper, and checks that it is one of this history. */
  async #position(target: Connection): Promise<Position> {
    const { text } = this.#postgres.address;
    const read = () => target.query<Position>("select link, snapshot, head, at from shipped where id = 1 for update");
    let [position] = await read();
    if (!position) {
      await target.run(
        `insert into shipped select 1, 0, 0, '', 0 where not exists (select 1 from link) and not exists (select 1 from run)
         on conflict do nothing`,
      );
      [position] = await read();
    }
    if (!position)
      throw new ConfigError([
        `PostgreSQL at ${text} has a history that collectors wrote directly. Add ?schema=NAME to the URL to copy ${this.#path} beside it.`,
      ]);
    const { link, head } = position;
    const own = linkDigest(this.#sqlite, link);
    if (link === 0 || own?.equals(head)) return position;
    throw new ConfigError([
      `PostgreSQL at ${text} has a copy of another history than ${this.#path}, or of a later state of it: ` +
        `link ${link} is ${head.toString("hex")} in PostgreSQL and ${own?.toString("hex") ?? "missing"} in the file. ` +
        "If the file was restored from a backup, the copy has what the backup lacks: keep it, and add ?schema=NAME to the URL to begin another copy.",
    ]);
  }
}

/** A transaction that begins with its first statement, when it locks the position. */
class LateTransaction implements Pick<Connection, "run" | "cells"> {
  readonly connection: Connection;
  readonly #known: Position | null;
  readonly #lock: (connection: Connection) => Promise<Position>;
  #begun: Promise<Position> | null = null;

  constructor(connection: Connection, known: Position | null, lock: (connection: Connection) => Promise<Position>) {
    this.connection = connection;
    this.#known = known;
    this.#lock = lock;
  }

  async run(text: string, values: readonly Parameter[]): Promise<number> {
    await this.#begin();
    return this.connection.run(text, values);
  }

  async cells(text: string, values?: readonly Parameter[]): Promise<unknown[][]> {
    await this.#begin();
    return this.connection.cells(text, values);
  }

  /** Returns what is known of a copy of which only the position is known. */
  async memory(): Promise<ShipMemory> {
    const { link, snapshot, head, at } = await this.#begin();
    const odd = await this.connection.cells("select distinct table_name from odd_digits");
    return {
      ...{ link, snapshot, head, at },
      odd: new Set(odd.map(String)),
      contents: new Map(),
      pruning: new Map(),
      chains: null,
    };
  }

  /** Commits or rolls back, if it has begun. */
  async end(how: "commit" | "rollback"): Promise<void> {
    if (this.#begun) await this.connection.run(how);
  }

  async #begin(): Promise<Position> {
    this.#begun ??= this.connection.run("begin").then(() => this.#lock(this.connection));
    const position = await this.#begun;
    if (this.#known && (this.#known.link !== position.link || this.#known.snapshot !== position.snapshot))
      throw new OtherPosition();
    return position;
  }
}

const linkDigest = (sqlite: Sqlite, id: number): Buffer | undefined =>
  prepared(sqlite, "select digest from link where id = ?").get(id)?.[0] as Buffer | undefined;

/** Returns the end of the next `links` links, with the last snapshot of their runs: those of later runs have higher ids. */
function endOf(sqlite: Sqlite, { link, snapshot }: Position, links: number): ShipEnd {
  const lastOf = (table: string) => Number(prepared(sqlite, `select max(id) from ${table}`).get()?.[0] ?? 0);
  const [last, lastSnapshot] = [lastOf("link"), lastOf("snapshot")];
  if (last <= link + links) return { link: last, snapshot: lastSnapshot, isLast: true };
  const later = prepared(
    sqlite,
    `select id from snapshot where id > ? and run_id not in (select run_id from link where id > ? and id <= ? and run_id is not null)
     order by id limit 1`,
  ).get(snapshot, link, link + links)?.[0];
  return { link: link + links, snapshot: later === undefined ? lastSnapshot : Number(later) - 1, isLast: false };
}
