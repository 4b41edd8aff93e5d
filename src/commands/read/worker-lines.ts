/** Describes the processes that record into one PostgreSQL, for `status` and `status --watch`. */
import { durationText } from "../../core/text.ts";
import type { WorkerStatus } from "../../store/history.ts";

export const workerHeaders = [
  "worker",
  "state",
  "last seen (UTC)",
  "age",
  "version",
  "accounts",
  "running",
  "paused until (UTC)",
];

const secondText = (at: number): string => new Date(at).toISOString().slice(0, 19).replace("T", " ");

const stateTexts = { live: "live", gone: "GONE", unknown: "unknown" } as const;

/** Returns the cells of one process, in the order of `workerHeaders`. */
export const workerCells = ({
  name,
  state,
  seenAt,
  ageMs,
  version,
  accounts,
  running,
  pausedUntil,
}: WorkerStatus): string[] => [
  ...[name, stateTexts[state], secondText(seenAt), durationText(ageMs), version, String(accounts)],
  ...[running === null ? "unknown" : String(running), pausedUntil === null ? "" : secondText(pausedUntil)],
];

/** Returns what needs attention: each process that is gone; empty if all are live. */
export function workerProblems(workers: readonly WorkerStatus[]): string[] {
  const gone = workers.filter(({ state }) => state === "gone");
  const lines = gone.map(
    ({ name, ageMs }) =>
      `Worker ${name} is gone, last seen ${durationText(ageMs)} ago. Others run its accounts if they have the keys; start it again.`,
  );
  if (workers.some(({ state }) => state === "unknown"))
    lines.push("Whether the workers are live is unknown, because the mirror is old: PostgreSQL cannot be reached.");
  return lines;
}

/** Returns whether any process records; null where that is unknown. */
export function isAnyLive(workers: readonly WorkerStatus[]): boolean | null {
  if (workers.some(({ state }) => state === "live")) return true;
  return workers.length > 0 && workers.every(({ state }) => state === "gone") ? false : null;
}
