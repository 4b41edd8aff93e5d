/** Reconciles a history in PostgreSQL as `reconcileFile` does one in a file. */
import { StorageError } from "../../../core/errors.ts";
import { reconcileFile } from "../../ledger/reconcile-file.ts";
import type { Reconciled, ReconcileOptions } from "../../ledger/reconciler.ts";
import { openReadOnly } from "../../sqlite/database.ts";
import { Postgres } from "../connection.ts";
import { ReconcileQueue, type ReconcileQueueOptions } from "./reconcile-queue.ts";

/** What was reconciled. `isStored` is false where only the mirror has the result, until it is copied again. */
export type ReconciledHistory = Reconciled & { isStored: boolean };

/**
 * Brings the reconciliation of a history up to date: that of PostgreSQL where collectors record into it, and this role can write, otherwise
 * that of the mirror, which exists. @throws StorageError, LockedError
 */
export async function reconcileHistory(
  { url, path, datasets }: ReconcileQueueOptions,
  options: ReconcileOptions,
): Promise<ReconciledHistory> {
  if (!(await mayStore(url))) return { ...(await reconcileFile(path, options)), isStored: false };
  const queue = new ReconcileQueue({ url, path, datasets });
  try {
    const accounts = options.account === undefined ? accountsIn(path) : [options.account];
    const done = await Promise.all(accounts.map((account) => queue.reconcile({ ...options, account })));
    const sum = (name: keyof Reconciled) => done.reduce((all, one) => all + one[name], 0);
    return { chains: sum("chains"), entries: sum("entries"), isStored: true };
  } finally {
    await queue.close();
  }
}

async function mayStore(url: ReconcileQueueOptions["url"]): Promise<boolean> {
  const postgres = await Postgres.open(url, { name: "reconcile", connections: 1, readOnly: true });
  try {
    const [found] = await postgres.query<{ may: boolean }>(
      `select not exists (select 1 from shipped) and not pg_is_in_recovery()
         and has_table_privilege('ledger_chain', 'insert') as may`,
    );
    return found?.may === true;
  } catch (error) {
    if (error instanceof StorageError) return false;
    throw error;
  } finally {
    await postgres.close();
  }
}

function accountsIn(path: string): string[] {
  const sqlite = openReadOnly(path);
  try {
    return sqlite.prepare<[], string>("select name from account order by id").pluck().all();
  } finally {
    sqlite.close();
  }
}
