/** Lets this process end, as by a kill, at the two worst instants of a transaction. */
import Database from "better-sqlite3";

/** With every row of it written and the transaction not ended, or right after it was, before anybody is told. */
export type DeathAt = "unwritten" | "written";

type Work = (...args: unknown[]) => unknown;

let dieAt: DeathAt | null = null;

/** The next write of the store is the last one. */
export function dieWhen(at: DeathAt | null): void {
  dieAt = at;
}

/** No signal that a process sends itself returns: nothing after it is run, nothing is flushed. */
const die = () => process.kill(process.pid, "SIGKILL");

const { transaction } = Database.prototype;

/**
 * The store writes in immediate transactions, and in nothing else. The file of raw answers is none of it: it is written a
 * moment after a commit, whenever that is.
 */
function mortal(this: Database.Database, work: Work): Database.Transaction<Work> {
  const isRaw = this.name.endsWith(".raw.db");
  let isImmediate = false;
  const made = transaction.call(this, (...args: unknown[]) => {
    const result = work.apply(this, args);
    if (isImmediate && !isRaw && dieAt === "unwritten") die();
    return result;
  }) as Database.Transaction<Work>;
  const immediate = (...args: unknown[]) => {
    isImmediate = true;
    const result = made.immediate(...args);
    isImmediate = false;
    if (!isRaw && dieAt === "written") die();
    return result;
  };
  const { default: usual, deferred, exclusive } = made;
  return Object.assign((...args: unknown[]) => made(...args), { default: usual, deferred, exclusive, immediate });
}

Database.prototype.transaction = mortal as typeof transaction;
