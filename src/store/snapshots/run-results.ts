/** Computes the rows in which the results of a run are stored, independently of the database. */
import type { FailedSnapshot, RecordBatch, RunState, Scope, Snapshot } from "../../core/domain.ts";
import type { IncrementalDataset } from "../../datasets/incremental.ts";
import type { SnapshotDigest } from "../chain/chain.ts";
import type { LedgerRun, RunRow } from "../runs/run-ledger.ts";
import { failureDigest, type SnapshotHeader, snapshotDigest, truncateDigest } from "../schema/digest.ts";
import type { snapshot } from "../schema/tables.ts";
import type { RunEnd } from "../store.ts";

const maxMessageChars = 500;

/** A snapshot that was stored, with the number of rows of its history view. */
export interface StoredSnapshot extends SnapshotDigest {
  rows: number;
}

/** Returns the stored text of a scope: "" for the whole account. */
export const scopeText = (scope: Scope): string => scope ?? "";

/** Returns the batch of an incremental dataset. Throws an Error if it is a snapshot. */
export function recordBatchOf(dataset: IncrementalDataset, one: Snapshot | RecordBatch): RecordBatch {
  if ("reading" in one) return one;
  throw new Error(`${dataset.name} is incremental: expected a batch of records, got a snapshot`);
}

/** Returns the digest of a good snapshot as it is stored. `lines` are its canonical lines. */
export const digestOf = (found: LedgerRun, one: Snapshot, lines: readonly string[]): Buffer =>
  truncateDigest(snapshotDigest(headerOf(found, one), lines));

/** Returns the row of a failed snapshot. */
export function failureRow(found: LedgerRun, failure: FailedSnapshot) {
  const errorCode = failure.code.slice(0, 16);
  const errorMessage = Buffer.from(failure.message.slice(0, maxMessageChars)).toString();
  const digest = truncateDigest(failureDigest(headerOf(found, failure), errorCode, errorMessage));
  return { takenAt: failure.takenAt, rows: 0, digest, errorCode, errorMessage } satisfies Partial<
    typeof snapshot.$inferInsert
  >;
}

/** Returns the failure of a snapshot with a value that cannot be stored exactly (a RangeError). Rethrows any other error. */
export function unstorable({ scope, takenAt }: Snapshot, error: unknown): FailedSnapshot {
  if (!(error instanceof RangeError)) throw error;
  return { scope, takenAt, code: "shape", message: error.message };
}

/** Returns the final row of a run. `good` are its good snapshots; `failures` include those that could not be stored. */
export const runRowOf = (
  { id, slot, lateMs }: LedgerRun,
  end: RunEnd,
  good: readonly Pick<StoredSnapshot, "rows">[],
  failures: readonly FailedSnapshot[],
): RunRow => ({
  id,
  state: endState(end, good.length, failures.length),
  cause: failures.length > 0 ? [...new Set(failures.map(({ code }) => code))].join(", ") : end.cause,
  tookMs: end.finishedAt - slot - (lateMs ?? 0),
  requests: end.requests,
  retries: end.retries,
  rows: good.reduce((sum, { rows }) => sum + rows, 0),
  spreadMs: end.spreadMs,
  skewMs: end.skewMs,
});

const headerOf = ({ dataset, account, slot }: LedgerRun, one: { scope: Scope; takenAt: number }): SnapshotHeader => [
  dataset,
  account,
  scopeText(one.scope),
  slot,
  one.takenAt,
];

function endState(end: RunEnd, good: number, failed: number): RunState {
  if (end.skipped) return "skipped";
  if (good === 0) return "failed";
  return failed > 0 ? "partial" : "ok";
}
