/** Reconciles the ledger in a database file, also while a daemon records into it. */
import { systemClock } from "../../core/clock.ts";
import { openWriter } from "../sqlite/database.ts";
import { createWriteQueue } from "../sqlite/write-queue.ts";
import { type Reconciled, type ReconcileOptions, Reconciler } from "./reconciler.ts";

/**
 * Brings the reconciliation in a file up to date.
 * @throws ConfigError if the file is not a database of this program, StorageError if it cannot be written
 */
export async function reconcileFile(path: string, options: ReconcileOptions): Promise<Reconciled> {
  const sqlite = openWriter(path);
  try {
    const write = createWriteQueue(path, sqlite, systemClock, () => {});
    return await new Reconciler(sqlite, write).reconcile(options);
  } finally {
    sqlite.close();
  }
}
