/**
 * Appends to the chain: each run that ends gets a link, the SHA-256 of the previous link, the row of the run and the digests of
 * its snapshots. Nothing can be altered, removed or inserted without changing every later link.
 *
 * Changes without the end of a run have links of their own, with a note: a new schedule or API version; a missed slot that was
 * claimed after all, with the previous cause of its row; a corrected snapshot, with its previous digest; and a pruned day. A run
 * that was claimed or corrected gets another link with its new content. The digest of a pruned snapshot is retained, so that the
 * link of its run can still be computed.
 *
 * One chain, with the number 0, covers everything that one process records into a file. Where several processes record into one
 * PostgreSQL, each account has a chain with the number of its id: its links are in the order of their ids, those of different accounts
 * in no order. A file that was made from such a PostgreSQL keeps a chain for each account.
 */
import { linkDigest } from "../schema/digest.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** The content of a note; a later note of the same key replaces it. */
export type Note =
  | readonly [table: "schedule", account: string, dataset: string, since: number, pattern: string, until: number | null]
  | readonly [table: "account_mode", id: number, account: string, since: number, api: string, cause: string]
  /** The run of the link ended as missed, for this cause, before it was claimed again. */
  | readonly [table: "run", state: "missed", cause: string | null]
  /** Digest (hex) of a snapshot of the run of the link, and the number of rows of the run, before it was corrected. */
  | readonly [kind: "corrected", snapshotId: number, digest: string, rows: number]
  /** A pruned UTC day ("2026-11-01"): `kept` are the ids of the remaining snapshots, `ranges` is the digest of its daily ranges. */
  | readonly [table: "pruned", account: string, dataset: string, day: string, kept: readonly number[], ranges: string];

/** The columns of a run that its link covers, with the account and the dataset of its series. */
export const runColumns = [
  "run.id",
  "account.name",
  "series.dataset",
  "run.slot",
  "run.state",
  "run.cause",
  "run.late_ms",
  "run.took_ms",
  "run.requests",
  "run.retries",
  "run.rows",
  "run.spread_ms",
  "run.skew_ms",
  "run.worker",
] as const;

/** The index of the first column that was added later. */
const laterAt = runColumns.indexOf("run.skew_ms");
const accountAt = runColumns.indexOf("account.name");

/** The cells of a run in the order of `runColumns`. */
export type RunCells = readonly (string | number | null)[];

/** A snapshot and its stored digest. */
export interface SnapshotDigest {
  id: number;
  digest: Buffer;
}

/** The link before the first one. 32 zero bytes. */
export const genesis = Buffer.alloc(32);

/**
 * Returns the text that the link of a run hashes. Later columns are appended with their names, and only if not null, so that older
 * links stay valid.
 */
export function runText(run: RunCells, snapshots: readonly SnapshotDigest[]): string {
  const digests = snapshots.map(({ id, digest }) => [id, digest.toString("hex")]);
  const later = run.slice(laterAt).map((cell, at) => [runColumns[laterAt + at], cell]);
  return JSON.stringify([...run.slice(0, laterAt), digests, ...later.filter(([, cell]) => cell !== null).flat()]);
}

/** Returns the text that the link of a note hashes. `runId` is null for a note about no run. */
export const noteText = (note: string, runId: number | null): string => JSON.stringify([runId, note]);

/** Parses a stored note; returns null if it is damaged. */
export function parseNote(text: string): Note | null {
  try {
    return JSON.parse(text) as Note;
  } catch {
    return null;
  }
}

/** Appends links to the chain. Its methods run inside the transaction that writes what the links cover. */
export interface Chain {
  /** Appends the link of a run that has its final row. `snapshots` are all of its snapshots, ascending by id. */
  appendRun(runId: number, snapshots: readonly SnapshotDigest[]): void;
  /** Appends a note, about a run if `runId` is given. */
  appendNote(note: Note, runId?: number): void;
}

/** Returns the chain of a database. */
export function createChain(sqlite: Sqlite): Chain {
  const last = sqlite.prepare("select digest from link where chain = ? order by id desc limit 1").pluck();
  const insert = sqlite.prepare("insert into link (run_id, note, digest, chain) values (?, ?, ?, ?)");
  const chainOf = prepareChainOf(sqlite);
  const find = sqlite
    .prepare(
      `select ${runColumns.join(", ")} from run join series on series.id = run.series_id
         join account on account.id = series.account_id
       where run.id = ?`,
    )
    .raw();
  // The last link is read each time instead of being kept in memory, which a rollback would invalidate.
  const append = (chain: number, text: string, runId: number | null, note: string | null): void => {
    const previous = (last.get(chain) as Buffer | undefined) ?? genesis;
    insert.run(runId, note, linkDigest(previous, text), chain);
  };
  return {
    appendRun(runId, snapshots) {
      const run = find.get(runId) as RunCells;
      append(chainOf(String(run[accountAt])), runText(run, snapshots), runId, null);
    },
    appendNote(note, runId) {
      const text = JSON.stringify(note);
      const account = runId === undefined ? accountOf(note) : String((find.get(runId) as RunCells)[accountAt]);
      append(chainOf(account), noteText(text, runId ?? null), runId ?? null, text);
    },
  };
}

/** Returns the account that a note about no run concerns. */
export const accountOf = (note: Note): string => String(note[0] === "account_mode" ? note[2] : note[1]);

/** Returns a function that finds the number of the chain in which the changes of an account are linked. */
function prepareChainOf(sqlite: Sqlite): (account: string) => number {
  const first = sqlite.prepare<[], number>("select chain from link order by id limit 1").pluck().get() ?? 0;
  if (first === 0) return () => 0;
  const find = sqlite.prepare<[string], number>("select id from account where name = ?").pluck();
  return (account) => find.get(account) ?? 0;
}

/** A note about a pruned day. */
export type PrunedNote = Extract<Note, readonly ["pruned", ...unknown[]]>;

/** Returns a text that identifies a day of a series. */
export const dayKey = ([, account, dataset, day]: readonly [string, string, string, string, ...unknown[]]): string =>
  JSON.stringify([account, dataset, day]);

/** Returns the notes about pruned days. If a day has several notes, returns only the last one. */
export function prunedNotes(sqlite: Sqlite): PrunedNote[] {
  const texts = sqlite
    .prepare(`select note from link where note like '["pruned",%' order by id`)
    .pluck()
    .all() as string[];
  const last = new Map<string, PrunedNote>();
  for (const note of texts.map(parseNote)) {
    // An altered note is ignored here; verification reports it because its link does not match.
    if (note?.[0] === "pruned" && Array.isArray(note[4])) last.set(dayKey(note), note);
  }
  return [...last.values()];
}

/** Runs linked per query, so that no statement stays open while links are inserted. */
const chunk = 1000;

/** Builds the chain of a database that was created before there was one, with the runs in the order of their ids. */
export function backfillChain(sqlite: Sqlite): void {
  const chain = createChain(sqlite);
  const schedules = sqlite
    .prepare(
      `select a.name, e.dataset, c.since, c.pattern, c.until from schedule c
       join series e on e.id = c.series_id join account a on a.id = e.account_id order by c.series_id, c.since`,
    )
    .raw()
    .all() as [string, string, number, string, number | null][];
  for (const cells of schedules) chain.appendNote(["schedule", ...cells]);
  const modes = sqlite
    .prepare(
      "select m.id, a.name, m.since, m.api, m.cause from account_mode m join account a on a.id = m.account_id order by m.id",
    )
    .raw()
    .all() as [number, string, number, string, string][];
  for (const cells of modes) chain.appendNote(["account_mode", ...cells]);
  // This index is needed only here.
  sqlite.exec("create index snapshot_of_run on snapshot (run_id)");
  const ended = sqlite.prepare(`select id from run where id > ? and state <> 'running' order by id limit ${chunk}`);
  const snapshots = sqlite.prepare("select id, digest from snapshot where run_id = ? order by id");
  for (let after: number | undefined = 0; after !== undefined; ) {
    const ids = ended.pluck().all(after) as number[];
    for (const id of ids) chain.appendRun(id, snapshots.all(id) as SnapshotDigest[]);
    after = ids.at(-1);
  }
  sqlite.exec("drop index snapshot_of_run");
}
