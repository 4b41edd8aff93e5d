/** The file of raw responses beside a database: its path, its tables, and how it is opened. */
import { existsSync } from "node:fs";
import { ConfigError } from "../../core/errors.ts";
import { realPath } from "../../core/path.ts";
import { connect, createPrivate, type Sqlite } from "../files/connections.ts";

/** Of `collector.db` it is `collector.raw.db`, beside the file itself, whatever name that goes by. */
export const rawFile = (databasePath: string): string => `${realPath(databasePath).replace(/\.db$/, "")}.raw.db`;

/** "BGRW" in the file's header says whose file it is. */
const applicationId = 0x42475257;
const version = 1;

/**
 * Which answer it is says the slot, not an id of the database: a backup put in its place goes on with other ids. `number` counts
 * the answers of one run and scope in their order; the last one is what the snapshot was made of, or why there is none.
 * `digest` is the SHA-256 of the body as received, `packed` that body compressed with Brotli.
 */
const tables = `
  create table source (
    id integer primary key, account text not null, dataset text not null, product_type text not null, address text not null,
    unique (account, dataset, product_type, address)
  ) strict;
  create table body (id integer primary key, digest blob not null unique, packed blob not null) strict;
  create table answer (
    slot integer not null, source_id integer not null references source, number integer not null,
    received_at integer not null, status integer not null, body_id integer not null references body,
    primary key (slot, source_id, number)
  ) strict, without rowid;
  create index answer_body on answer (body_id);
  pragma application_id = ${applicationId};
  pragma user_version = ${version};
`;

/** Opens the file, a new one where there is none. Throws a ConfigError where it cannot be used. */
export function openRawWriter(path: string): Sqlite {
  return opened(path, () => {
    createPrivate(path);
    const sqlite = connect(path, { timeout: 100 });
    return prepared(sqlite, () => {
      const isNew = sqlite.prepare("select count(*) from sqlite_schema").pluck().get() === 0;
      if (!isNew) requireOurs(sqlite);
      sqlite.pragma("journal_mode = WAL");
      // Nobody was promised what a power cut takes here, and waiting for the disk would hold up what was promised.
      sqlite.pragma("synchronous = NORMAL");
      sqlite.pragma("wal_autocheckpoint = 250");
      // KiB, of the 16 MB that it would take in time.
      sqlite.pragma("cache_size = -1000");
      if (isNew) sqlite.transaction(() => sqlite.exec(tables)).immediate();
    });
  });
}

/** A connection that can only read; null where there is no such file. Throws a ConfigError where it cannot be used. */
export function openRawReader(path: string): Sqlite | null {
  if (!existsSync(path)) return null;
  return opened(path, () => {
    const sqlite = connect(path, { readonly: true, timeout: 2000 });
    return prepared(sqlite, () => requireOurs(sqlite));
  });
}

function opened(path: string, open: () => Sqlite): Sqlite {
  try {
    return open();
  } catch (error) {
    throw new ConfigError([`${path} cannot be used for raw responses: ${(error as Error).message}. Move it away.`]);
  }
}

function prepared(sqlite: Sqlite, prepare: () => void): Sqlite {
  try {
    prepare();
    return sqlite;
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

function requireOurs(sqlite: Sqlite): void {
  const value = (name: string) => sqlite.pragma(name, { simple: true });
  if (value("application_id") !== applicationId) throw new Error("it belongs to another program");
  if (value("user_version") !== version) throw new Error("it was written by another version of this program");
}
