/** Opens the file of raw responses next to a database. */
import { existsSync } from "node:fs";
import { ConfigError } from "../../core/errors.ts";
import { realPath } from "../../core/path.ts";
import { connect, createPrivate, type Sqlite } from "../files/connections.ts";

/** Returns the path of the archive: `collector.raw.db` for `collector.db`, next to the real file if that is a link. */
export const rawFile = (databasePath: string): string => `${realPath(databasePath).replace(/\.db$/, "")}.raw.db`;

/** "BGRW" in the file header identifies files of this program. */
const applicationId = 0x42475257;
const version = 1;

/**
 * A response is identified by its slot instead of an id of the database, since a restored backup continues with other ids. `number`
 * counts the responses of one run and scope; the last one became the snapshot, or is the reason why there is none.
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

/** Opens the file for writing, and creates it if missing. Throws a ConfigError if it cannot be used. */
export function openRawWriter(path: string): Sqlite {
  return opened(path, () => {
    createPrivate(path);
    const sqlite = connect(path, { timeout: 100 });
    return prepared(sqlite, () => {
      const isNew = sqlite.prepare("select count(*) from sqlite_schema").pluck().get() === 0;
      if (!isNew) requireOurs(sqlite);
      sqlite.pragma("journal_mode = WAL");
      // A power failure may lose recent responses, which is acceptable; waiting for the disk would delay the database.
      sqlite.pragma("synchronous = NORMAL");
      sqlite.pragma("wal_autocheckpoint = 250");
      // KiB. The default would grow to 16 MB.
      sqlite.pragma("cache_size = -1000");
      if (isNew) sqlite.transaction(() => sqlite.exec(tables)).immediate();
    });
  });
}

/** Opens the file read-only. Returns null if there is none. Throws a ConfigError if it cannot be used. */
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
