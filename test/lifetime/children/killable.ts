/** Kills this process at the two worst moments of a transaction. */
import Database from "better-sqlite3";

/** With every row written but not committed, or right after the commit and before it is reported. */
export type KillPoint = "unwritten" | "written";

type Work = (...args: unknown[]) => unknown;

let killPoint: KillPoint | null = null;

/** Makes the next write of the store kill the process; null for none. */
export function killAtNextWrite(at: KillPoint | null): void {
  killPoint = at;
}

/** Ends the process at once: nothing after this is run or flushed. */
const die = () => process.kill(process.pid, "SIGKILL");

const { transaction } = Database.prototype;

/**
 * Wraps `transaction`. The store writes only in immediate transactions. The archive of raw responses is excluded, because
 * it is written at an unspecified time after a commit.
 */
function killable(this: Database.Database, work: Work): Database.Transaction<Work> {
  const isRaw = this.name.endsWith(".raw.db");
  let isImmediate = false;
  const made = transaction.call(this, (...args: unknown[]) => {
    const result = work.apply(this, args);
    if (isImmediate && !isRaw && killPoint === "unwritten") die();
    return result;
  }) as Database.Transaction<Work>;
  const immediate = (...args: unknown[]) => {
    isImmediate = true;
    const result = made.immediate(...args);
    isImmediate = false;
    if (!isRaw && killPoint === "written") die();
    return result;
  };
  const { default: usual, deferred, exclusive } = made;
  return Object.assign((...args: unknown[]) => made(...args), { default: usual, deferred, exclusive, immediate });
}

Database.prototype.transaction = killable as typeof transaction;
