/**
 * Ships an SQLite history to PostgreSQL: a copy with the same rows, brought up to date in passes. Each pass copies one state of the file,
 * read in one transaction, and its position moves in the transaction that writes the rows. Whatever ends a pass, nothing is lost and
 * nothing is written twice.
 */
import { ConfigError } from "../../../core/errors.ts";
import type { AnyDataset } from "../../../datasets/incremental.ts";
import { openReadOnly, type Sqlite } from "../../sqlite/database.ts";
import type { Connection, Postgres } from "../connection.ts";
import { prepareSchema } from "../migrations.ts";
import { type CopiedTable, copiedTables } from "../tables.ts";
import { RowWriter } from "./row-writer.ts";
import { type ShipMemory, shipChanges } from "./ship-changes.ts";

/** The result of a pass: rows written, and when the state that was copied was read, epoch ms. */
export interface Shipped {
  rows: number;
  at: number;
}

interface Position {
  link: number;
  snapshot: number;
  head: Buffer;
}

const nothing: ShipMemory = { link: 0, snapshot: 0, contents: new Map(), pruning: new Map() };

/** Ships one file to one PostgreSQL schema. */
export class Shipper {
  readonly #path: string;
  readonly #sqlite: Sqlite;
  readonly #postgres: Postgres;
  readonly #datasets: readonly AnyDataset[];
  readonly #tables: ReadonlyMap<string, CopiedTable>;
  readonly #now: () => number;
  readonly #signal: AbortSignal | undefined;
  #isPrepared = false;
  #memory = nothing;
  /** The version of the file that was shipped last; null: none. */
  #version: number | null = null;

  /** Opens the file for reading. @throws ConfigError where it is not a database of this program */
  constructor(options: {
    path: string;
    postgres: Postgres;
    datasets: readonly AnyDataset[];
    /** Returns the time, epoch ms. */
    now: () => number;
    signal?: AbortSignal | undefined;
  }) {
    this.#path = options.path;
    this.#sqlite = openReadOnly(options.path);
    this.#postgres = options.postgres;
    this.#datasets = options.datasets;
    this.#tables = new Map(copiedTables(options.datasets).map((table) => [table.name, table]));
    this.#now = options.now;
    this.#signal = options.signal;
  }

  /**
   * Copies what changed since the last pass; nothing where the file has not changed. @throws ConfigError where PostgreSQL has another history,
   * or a later state of this one; StorageError where it cannot be reached
   */
  async pass(): Promise<Shipped> {
    if (!this.#isPrepared) await prepareSchema(this.#postgres, this.#datasets);
    this.#isPrepared = true;
    const version = Number(this.#sqlite.pragma("data_version", { simple: true }));
    const at = this.#now();
    if (version === this.#version) return { rows: 0, at };
    this.#version = null;
    this.#sqlite.exec("begin");
    try {
      const { memory, rows } = await this.#postgres.transaction((target) => this.#copy(target, at));
      this.#memory = memory;
      this.#version = version;
      return { rows, at };
    } catch (error) {
      // Whether the transaction was committed is unknown: the next pass compares the small tables as a whole.
      this.#memory = nothing;
      throw error;
    } finally {
      this.#sqlite.exec("rollback");
    }
  }

  close(): void {
    this.#sqlite.close();
  }

  async #copy(target: Connection, at: number): Promise<{ memory: ShipMemory; rows: number }> {
    const position = await this.#position(target);
    const isOwn = position.link === this.#memory.link && position.snapshot === this.#memory.snapshot;
    const memory = isOwn ? this.#memory : { ...nothing, ...position };
    const writer = await RowWriter.open(this.#sqlite, target, this.#signal);
    const pass = { sqlite: this.#sqlite, target, writer, tables: this.#tables, datasets: this.#datasets };
    const next = await shipChanges(pass, memory);
    const head = linkDigest(this.#sqlite, next.link) ?? Buffer.alloc(0);
    await target.run("update shipped set link = $1, snapshot = $2, head = $3, at = $4 where id = 1", [
      next.link,
      next.snapshot,
      head,
      at,
    ]);
    return { memory: next, rows: writer.rows };
  }

  /** Locks the position, against a second shipper, and checks that it is one of this history. */
  async #position(target: Connection): Promise<Position> {
    const { text } = this.#postgres.address;
    await target.run(
      `insert into shipped select 1, 0, 0, '', 0 where not exists (select 1 from link) and not exists (select 1 from run)
       on conflict do nothing`,
    );
    const [position] = await target.query<Position>("select link, snapshot, head from shipped where id = 1 for update");
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

const linkDigest = (sqlite: Sqlite, id: number): Buffer | undefined =>
  sqlite.prepare<[number], Buffer>("select digest from link where id = ?").pluck().get(id);
