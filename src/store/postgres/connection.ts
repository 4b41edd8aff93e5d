/** Connects to PostgreSQL: a pool, transactions, and errors that say what to do. The driver is loaded only when it is needed. */
import { hash } from "node:crypto";
import type { Pool, PoolClient, PoolConfig, QueryResult } from "pg";
import type { Secret } from "../../core/domain.ts";
import { CollectorError, ConfigError, StorageError } from "../../core/errors.ts";
import { type Address, addressOf } from "./address.ts";

/** A value of a statement. Arrays become arrays of PostgreSQL. */
export type Parameter = string | number | boolean | Buffer | null | readonly Parameter[];

/** Runs statements, each alone in its text. */
export interface Connection {
  /** Returns the rows. `int8` is returned as a number. @throws RangeError where one is not a safe integer */
  query<Row = Record<string, unknown>>(text: string, values?: readonly Parameter[]): Promise<Row[]>;
  /** As `query`, with each row as an array of its cells. */
  cells(text: string, values?: readonly Parameter[]): Promise<unknown[][]>;
  /** Runs a statement. Returns the number of rows that it wrote. */
  run(text: string, values?: readonly Parameter[]): Promise<number>;
}

export interface PostgresOptions {
  /** Name of this connection in `pg_stat_activity`. */
  name: string;
  /** Connections at most. Default: 4. */
  connections?: number;
  /** Whether every transaction is read-only. Default: false. */
  readOnly?: boolean;
  /** Whether the server keeps the plans of statements, for a process that repeats a fixed set of them. Default: false. */
  keepsPlans?: boolean;
}

/** How long a connection may take, milliseconds. */
const connectMs = 10_000;

/** How long the server waits for a lock, and for the next statement of a transaction, milliseconds. A process that hangs holds no lock for longer. */
const lockMs = 30_000;
const idleInTransactionMs = 60_000;

/** How long a statement may take, milliseconds; afterwards the server counts as away. */
const queryMs = 60_000;

const int8 = 20;

/** A PostgreSQL database. Connects at the first statement. */
export class Postgres implements Connection {
  readonly address: Address;
  readonly #pool: Pool;
  readonly #keepsPlans: boolean;

  private constructor(address: Address, pool: Pool, { keepsPlans = false }: PostgresOptions) {
    this.address = address;
    this.#pool = pool;
    this.#keepsPlans = keepsPlans;
  }

  /** Loads the driver; connects to nothing. @throws ConfigError where the URL cannot be used */
  static async open(url: Secret, options: PostgresOptions): Promise<Postgres> {
    const address = addressOf(url);
    const { default: driver } = await import("pg");
    const { builtins, getTypeParser } = driver.types;
    const pool = new driver.Pool({
      ...poolConfig(address, options),
      types: {
        getTypeParser: (oid: number, format?: string) =>
          oid === (builtins.INT8 ?? int8) ? integerOf : getTypeParser(oid, format as "text"),
      },
    } as PoolConfig);
    // Errors of idle connections: the next statement opens another one.
    pool.on("error", () => {});
    // Errors of connections that are in use: their statement fails. Without a listener the process would end.
    pool.on("connect", (client) => client.on("error", () => {}));
    return new Postgres(address, pool, options);
  }

  query<Row>(text: string, values?: readonly Parameter[]): Promise<Row[]> {
    return this.session((connection) => connection.query<Row>(text, values));
  }

  cells(text: string, values?: readonly Parameter[]): Promise<unknown[][]> {
    return this.session((connection) => connection.cells(text, values));
  }

  run(text: string, values?: readonly Parameter[]): Promise<number> {
    return this.session((connection) => connection.run(text, values));
  }

  /** Runs `work` in one transaction, which is rolled back where `work` fails. @throws StorageError where the server is away; whether the commit happened is unknown then */
  transaction<Result>(
    work: (connection: Connection) => Promise<Result>,
    mode: "" | "isolation level repeatable read read only" = "",
  ): Promise<Result> {
    return this.session(async (connection) => {
      await connection.run(`begin ${mode}`);
      try {
        const result = await work(connection);
        await connection.run("commit");
        return result;
      } catch (error) {
        await connection.run("rollback").catch(() => {});
        throw error;
      }
    });
  }

  /** Closes the connections when their statements have ended. */
  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** Runs `work` on one connection, without a transaction. */
  async session<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect().catch((error) => {
      throw this.#explained(error);
    });
    let isBroken = false;
    try {
      return await work(connectionOn(client, this.#keepsPlans));
    } catch (error) {
      const explained = this.#explained(error);
      isBroken = explained instanceof StorageError;
      throw explained;
    } finally {
      client.release(isBroken);
    }
  }

  /** Returns the error for the user: a StorageError where the server is away, a ConfigError where it refuses the connection, any other unchanged. */
  #explained(error: unknown): unknown {
    if (error instanceof CollectorError) return error;
    const { code = "", message = "" } = error as { code?: string; message?: string };
    const { text } = this.address;
    if (refusals.test(code) || /certificate|does not support SSL/i.test(message))
      return new ConfigError([`PostgreSQL at ${text} refuses the connection: ${message}. ${adviceFor(code, message)}`]);
    if (isAway(code, message))
      return new StorageError(
        `PostgreSQL at ${text} cannot be reached (${code || message}). Start the server, or correct the URL.`,
      );
    if (cannotWrite.test(code))
      return new StorageError(
        `PostgreSQL at ${text} cannot execute a statement at present: ${message} (${code}). Check the server.`,
      );
    return error;
  }
}

/** Locked for too long, a deadlock, a statement_timeout, a standby that is read-only, a full disk, out of memory, a damaged disk: the same statement may work later. */
const cannotWrite = /^(55P03|57014|40001|40P01|25006|53100|53200|58...)$/;

/** Wrong user, password, database or rights: waiting does not help. */
const refusals = /^(28...|3D000|42501)$/;

function adviceFor(code: string, message: string): string {
  if (/does not support SSL/.test(message))
    return "Enable TLS on the server, or add ?sslmode=disable to the URL on a trusted network.";
  if (/certificate/i.test(message))
    return "Add ?sslrootcert=FILE with the certificate of its authority to the URL, and use the host name of the certificate.";
  if (code === "3D000") return "Create the database, or correct the URL.";
  if (code === "42501") return "Grant this role the missing right; docs/guides/postgresql.md lists the roles.";
  return "Correct user and password in the URL.";
}

/** Returns whether the server is away or is stopping or has no connection left. */
const isAway = (code: string, message: string): boolean =>
  /^(E[A-Z_]+|08...|57P0.|53300|25P03)$/.test(code) ||
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|connection error|not queryable/i.test(
    message,
  );

function poolConfig({ host, port, database, user, password, schema, ssl }: Address, options: PostgresOptions): object {
  const { name, connections = 4, readOnly = false } = options;
  const settings = {
    // Temporary tables and functions of other users cannot take the place of ours.
    search_path: `${schema},pg_temp`,
    TimeZone: "UTC",
    // Needed for times of the exchange, which are compared as text.
    DateStyle: "ISO",
    default_transaction_read_only: readOnly ? "on" : "off",
  };
  return {
    host,
    port,
    database,
    user,
    password: password?.reveal(),
    ssl,
    max: connections,
    application_name: `bitget-collector ${name}`,
    connectionTimeoutMillis: connectMs,
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    // Where packets are lost without an error, nothing else ends a statement.
    query_timeout: queryMs,
    keepAlive: true,
    options: Object.entries(settings)
      .map(([setting, value]) => `-c ${setting}=${value}`)
      .join(" "),
    allowExitOnIdle: true,
  };
}

function integerOf(text: string): number {
  const value = Number.parseInt(text, 10);
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${text}`);
  return value;
}

/** The name of a statement whose plan is kept; PostgreSQL cuts names at 63 characters. A view may change between two uses of its plan. */
const planName = (text: string): string | undefined =>
  /^\s*(select \*|begin|commit|rollback|create|lock)/.test(text) ? undefined : hash("sha1", text);

function connectionOn(client: PoolClient, keepsPlans: boolean): Connection {
  const send = async (text: string, values: readonly Parameter[], rowMode?: "array") => {
    // The extended protocol accepts one statement only, whatever the text contains.
    const name = keepsPlans ? planName(text) : undefined;
    const query = { text, name, values: [...values], queryMode: "extended", ...(rowMode ? { rowMode } : {}) };
    return (await client.query(query as never)) as QueryResult;
  };
  return {
    query: async <Row>(text: string, values: readonly Parameter[] = []) => (await send(text, values)).rows as Row[],
    cells: async (text, values = []) => (await send(text, values, "array")).rows as unknown as unknown[][],
    run: async (text, values = []) => (await send(text, values)).rowCount ?? 0,
  };
}
