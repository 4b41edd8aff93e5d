/** Describes the processes that record into one PostgreSQL, as that database or a mirror of it has them. */
import type { WorkerStatus } from "../history.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** How long after it was last seen a process counts as live, by the clock of the database. Milliseconds. */
export const liveMs = 10_000;

/** The age of a mirror above which it says nothing about the present. A busy process refreshes it less often than every second. Milliseconds. */
const maxMirrorAgeMs = 60_000;

/** A row of `workersSql`, in either database. Epoch ms. */
export type WorkerRow = Pick<WorkerStatus, "name" | "version" | "accounts"> & {
  seenAt: number;
  running: number;
  pausedUntil: number | null;
};

/** Selects the columns of `WorkerRow`. */
export const workersSql = `
  select w.name, w.seen_at as "seenAt", w.version, w.accounts, w.paused_until as "pausedUntil", count(r.id) as running
  from worker w left join run r on r.state = 'running' and r.worker = w.name
  group by w.name order by w.name`;

/** Returns the state at `now` of a process that the database had in this row at `readAt`, by its own clock. Epoch ms. */
export function workerStatus(row: WorkerRow, readAt: number, now: number): WorkerStatus {
  const { name, seenAt, version, accounts, running, pausedUntil } = row;
  const state = now - readAt > maxMirrorAgeMs ? "unknown" : seenAt > readAt - liveMs ? "live" : "gone";
  return {
    ...{ name, state, seenAt, ageMs: Math.max(0, now - seenAt), version, accounts },
    running: state === "unknown" ? null : running,
    pausedUntil: state !== "unknown" && pausedUntil !== null && pausedUntil > readAt ? pausedUntil : null,
  };
}

/** Returns the state of every process at `now`; empty where the history is not that of a PostgreSQL. */
export function listWorkers(sqlite: Sqlite, now: number): WorkerStatus[] {
  const rows = sqlite.prepare<[], WorkerRow>(workersSql).all();
  if (rows.length === 0) return [];
  const isMirror = sqlite.prepare("select 1 from sqlite_master where name = 'mirror'").get() !== undefined;
  const readAt = isMirror ? sqlite.prepare<[], number>("select at from mirror").pluck().get() : undefined;
  return rows.map((row) => workerStatus(row, readAt ?? now, now));
}
