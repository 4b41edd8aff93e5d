/**
 * The chain: each run that ends gets a link, the SHA-256 of the link before it, the run's own row and the digests of its
 * snapshots. Nothing in it can be altered, left out or put in without changing every later link.
 *
 * What changes without a run ending has links of its own, which carry it as a note: a schedule or an API generation put in
 * force, that a missed slot was claimed after all, with the cause that its row had until then, that a snapshot was corrected,
 * with the digest it had, and that a day was pruned. A run that was claimed or corrected is linked again as it is from then on.
 * Of a snapshot that is pruned its digest stays, so that the link of its run can be computed as before.
 */
import { linkDigest } from "../schema/digest.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** The row as it was written; a later note of the same key replaces it. */
export type Note =
  | readonly [table: "schedule", account: string, dataset: string, since: number, pattern: string, until: number | null]
  | readonly [table: "account_mode", id: number, account: string, since: number, api: string, cause: string]
  /** The run of the link ended as missed, for this cause, before it was claimed again. */
  | readonly [table: "run", state: "missed", cause: string | null]
  /** A snapshot of the run of the link had this digest (hex), and the run so many rows, before it was derived again. */
  | readonly [kind: "corrected", snapshotId: number, digest: string, rows: number]
  /** Of this UTC day ("2026-11-01") the snapshots `stay`, in the order of their ids, others may go; `seal` is of its ranges. */
  | readonly [table: "pruned", account: string, dataset: string, day: string, stay: readonly number[], seal: string];

/** What of a run is linked; of `series` and `account`, what its series is. */
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
] as const;

/** The first of those that runs did not have from the start. */
const laterAt = runColumns.indexOf("run.skew_ms");

/** A run in the order of `runColumns`. */
export type RunCells = readonly (string | number | null)[];

export interface SnapshotDigest {
  id: number;
  digest: Buffer;
}

/** What comes before the first link. */
export const genesis = Buffer.alloc(32);

/** Later columns are in it by name, and only where something is known: so the links of runs from before them stay. */
export function runText(run: RunCells, snapshots: readonly SnapshotDigest[]): string {
  const sealed = snapshots.map(({ id, digest }) => [id, digest.toString("hex")]);
  const later = run.slice(laterAt).map((cell, at) => [runColumns[laterAt + at], cell]);
  return JSON.stringify([...run.slice(0, laterAt), sealed, ...later.filter(([, cell]) => cell !== null).flat()]);
}

export const noteText = (note: string, runId: number | null): string => JSON.stringify([runId, note]);

/** A note as it stands in its link; null where that was damaged. */
export function parseNote(text: string): Note | null {
  try {
    return JSON.parse(text) as Note;
  } catch {
    return null;
  }
}

/** Appends links; inside the transaction that writes what they cover. */
export interface Chain {
  /** The run has its final row. `snapshots` are all of its own, in the order of their ids. */
  appendRun(runId: number, snapshots: readonly SnapshotDigest[]): void;
  appendNote(note: Note, runId?: number): void;
}

export function createChain(sqlite: Sqlite): Chain {
  const last = sqlite.prepare("select digest from link order by id desc limit 1").pluck();
  const insert = sqlite.prepare("insert into link (run_id, note, digest) values (?, ?, ?)");
  const find = sqlite
    .prepare(
      `select ${runColumns.join(", ")} from run join series on series.id = run.series_id
         join account on account.id = series.account_id
       where run.id = ?`,
    )
    .raw();
  // Read each time and kept nowhere: whatever is rolled back, the chain goes on from what is stored.
  const append = (text: string, runId: number | null, note: string | null): void => {
    const previous = (last.get() as Buffer | undefined) ?? genesis;
    insert.run(runId, note, linkDigest(previous, text));
  };
  return {
    appendRun: (runId, snapshots) => append(runText(find.get(runId) as RunCells, snapshots), runId, null),
    appendNote(note, runId) {
      const text = JSON.stringify(note);
      append(noteText(text, runId ?? null), runId ?? null, text);
    },
  };
}

export type PrunedNote = Extract<Note, readonly ["pruned", ...unknown[]]>;

/** What tells the day of one series from the others. */
export const dayKey = ([, account, dataset, day]: readonly [string, string, string, string, ...unknown[]]): string =>
  JSON.stringify([account, dataset, day]);

/** What the chain says was pruned; of several notes of one day the last. */
export function prunedNotes(sqlite: Sqlite): PrunedNote[] {
  const texts = sqlite
    .prepare(`select note from link where note like '["pruned",%' order by id`)
    .pluck()
    .all() as string[];
  const last = new Map<string, PrunedNote>();
  for (const note of texts.map(parseNote)) {
    // One that was altered does not follow in the chain, which says so; here it counts for nothing.
    if (note?.[0] === "pruned" && Array.isArray(note[4])) last.set(dayKey(note), note);
  }
  return [...last.values()];
}

const chunk = 1000;

/** Gives everything that is in a database from before there was a chain its link, the runs in the order of their ids. */
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
  // Of use this once.
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
