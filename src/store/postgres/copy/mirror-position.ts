/** Keeps in a mirror how far it was copied. These tables make a file a mirror; no chain covers them. */
import type { Sqlite } from "../../files/connections.ts";

/** The last link of a chain that was copied, and the last snapshot of its accounts. */
export interface ChainPosition {
  chain: number;
  link: number;
  digest: Buffer;
  snapshot: number;
}

/** Of which state of which history a mirror is. */
export interface MirrorState {
  /** Server, database and schema. */
  source: string;
  /** When the history had this state, epoch ms. */
  at: number;
}

/** Creates the tables of a mirror. */
export const createPositions = (sqlite: Sqlite): void =>
  void sqlite.exec(`
    create table mirrored (chain integer primary key, link integer not null, digest blob not null, snapshot integer not null) strict;
    create table mirror (id integer primary key check (id = 1), source text not null, at integer not null) strict;
  `);

/** Returns the state of a mirror; null where the file is none. */
export function mirrorState(sqlite: Sqlite): MirrorState | null {
  const isMirror = sqlite.prepare("select 1 from sqlite_master where type = 'table' and name = 'mirror'").get();
  return isMirror ? ((sqlite.prepare("select source, at from mirror").get() as MirrorState | undefined) ?? null) : null;
}

/** Returns the position of each chain, by the number of the chain. */
export const readPositions = (sqlite: Sqlite): Map<number, ChainPosition> =>
  new Map(
    (sqlite.prepare("select chain, link, digest, snapshot from mirrored").all() as ChainPosition[]).map((one) => [
      one.chain,
      one,
    ]),
  );

/** Stores positions and the state, inside the transaction that wrote what they describe. */
export function writePositions(sqlite: Sqlite, positions: Iterable<ChainPosition>, { source, at }: MirrorState): void {
  const write = sqlite.prepare<[ChainPosition]>(
    "insert or replace into mirrored (chain, link, digest, snapshot) values (@chain, @link, @digest, @snapshot)",
  );
  for (const position of positions) write.run(position);
  sqlite.prepare("insert or replace into mirror (id, source, at) values (1, ?, ?)").run(source, at);
}
