/** Creates and migrates the schema of a history in PostgreSQL. */
import { fileURLToPath } from "node:url";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { ConfigError } from "../../core/errors.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import type { Migration } from "../sqlite/migrations.ts";
import type { Connection, Postgres } from "./connection.ts";
import { typedSchema, viewScript } from "./views.ts";

const postgresMigrations = (): Migration[] =>
  readMigrationFiles({ migrationsFolder: fileURLToPath(new URL("../../../migrations/postgres", import.meta.url)) });

/** The oldest version of PostgreSQL that is supported, as `server_version_num`. */
const minVersion = 140_000;

/** Deletes a history with all that it has. Does nothing where there is none. */
export async function dropSchema(postgres: Postgres): Promise<void> {
  const { schema } = postgres.address;
  await postgres.run(`drop schema if exists ${schema}, ${typedSchema(schema)} cascade`);
}

/**
 * Creates the schema of a history, or brings it up to date, and replaces its views where their text has changed; all in one transaction.
 * @throws ConfigError where the schema was written by a newer program, or is not one of this program
 */
export async function prepareSchema(postgres: Postgres, datasets: readonly AnyDataset[]): Promise<void> {
  const { schema, text } = postgres.address;
  const prepare = async (connection: Connection) => {
    await requireVersion(connection, text);
    for (const name of [schema, typedSchema(schema)]) await createSchema(connection, name);
    const [{ found = null } = {}] = await connection.query<{ found: string | null }>(
      "select to_regclass('migration')::text as found",
    );
    if (found === null) {
      await requireEmpty(connection, schema, text);
      await connection.run(
        "create table migration (id bigint primary key, hash text not null, applied_at bigint not null)",
      );
    }
    // Several processes may start at the same time.
    await connection.run("lock table migration in share row exclusive mode");
    const pending = await pendingMigrations(connection, text);
    for (const { id, sql, hash } of pending) {
      for (const statement of sql) await connection.run(statement);
      await connection.run("insert into migration values ($1, $2, (extract(epoch from now()) * 1000)::bigint)", [
        id,
        hash,
      ]);
    }
    await replaceViews(connection, schema, datasets);
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await postgres.transaction(prepare);
    } catch (error) {
      const { code, detail } = error as { code?: string; detail?: string };
      if (code === "2BP01")
        throw new ConfigError([
          `The views in PostgreSQL at ${text} must be replaced, but other objects use them: ${detail}. Drop those, start again, and create them again.`,
        ]);
      // Another process has created the same meanwhile.
      if (attempt === 3 || !["23505", "42P06", "42P07"].includes(String(code))) throw error;
    }
  }
}

/** Returns whether the schema has a history. */
export async function hasHistory(postgres: Postgres): Promise<boolean> {
  const found = await postgres.query(
    "select 1 from pg_catalog.pg_tables where schemaname = $1 and tablename = 'migration'",
    [postgres.address.schema],
  );
  return found.length > 0;
}

/** Checks that the schema is one of this program, of this version. @throws ConfigError with the fix where it is not */
export async function requireSchema(postgres: Postgres): Promise<void> {
  const { text } = postgres.address;
  await requireVersion(postgres, text);
  if (!(await hasHistory(postgres)))
    throw new ConfigError([
      `PostgreSQL at ${text} has no history yet. \`start\`, \`collect\` and \`db ship\` create one; or correct the URL.`,
    ]);
  if ((await pendingMigrations(postgres, text)).length > 0)
    throw new ConfigError([
      `The history in PostgreSQL at ${text} is older than this program. Update the program that writes it first.`,
    ]);
}

async function requireVersion(connection: Connection, text: string): Promise<void> {
  const [{ version = 0 } = {}] = await connection.query<{ version: number }>(
    "select current_setting('server_version_num')::int as version",
  );
  if (version < minVersion)
    throw new ConfigError([
      `PostgreSQL at ${text} is version ${Math.floor(version / 10_000)}; version 14 or newer is needed.`,
    ]);
}

/** Creates a schema where it is missing: who may only use an existing one has no right to create one. */
async function createSchema(connection: Connection, name: string): Promise<void> {
  const found = await connection.query("select 1 from pg_catalog.pg_namespace where nspname = $1", [name]);
  if (found.length === 0) await connection.run(`create schema if not exists ${name}`);
}

async function requireEmpty(connection: Connection, schema: string, text: string): Promise<void> {
  const found = await connection.query(
    "select 1 from pg_catalog.pg_class c where relnamespace = $1::regnamespace limit 1",
    [schema],
  );
  if (found.length > 0)
    throw new ConfigError([`PostgreSQL at ${text} has tables of another program. Add ?schema=NAME to the URL.`]);
}

/** Returns the migrations that the schema still lacks. @throws ConfigError where it has one that this program does not have */
async function pendingMigrations(connection: Connection, text: string): Promise<(Migration & { id: number })[]> {
  const own = postgresMigrations();
  const applied = await connection.query<{ hash: string }>("select hash from migration order by id");
  if (applied.length > own.length)
    throw new ConfigError([
      `The history in PostgreSQL at ${text} is newer than this program. Update bitget-collector.`,
    ]);
  if (applied.some(({ hash }, at) => hash !== own[at]?.hash))
    throw new ConfigError([
      `The history in PostgreSQL at ${text} has other schema changes than this program. Install the release it was written by.`,
    ]);
  return own.map((one, id) => ({ ...one, id })).slice(applied.length);
}

/** Replaces the views unless the comment of the schema says that they are these. */
async function replaceViews(connection: Connection, schema: string, datasets: readonly AnyDataset[]): Promise<void> {
  const { statements, hash } = viewScript(schema, datasets);
  const comment = `A history of bitget-collector. Views: ${hash}`;
  const [{ found = null } = {}] = await connection.query<{ found: string | null }>(
    "select obj_description($1::regnamespace, 'pg_namespace') as found",
    [schema],
  );
  if (found === comment) return;
  for (const statement of statements) await connection.run(statement);
  await connection.run(`comment on schema ${schema} is '${comment}'`);
}
