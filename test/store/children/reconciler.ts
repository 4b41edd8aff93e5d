/** Reconciles all of a database. Arguments: its path, and the number of the transaction before which this process kills itself. */
import { Reconciler } from "../../../src/store/ledger/reconciler.ts";
import { openWriter } from "../../../src/store/sqlite/database.ts";

const [path = "", last = ""] = process.argv.slice(2);
const sqlite = openWriter(path);
let done = 0;
const write = async <Result>(work: () => Result): Promise<Result> => {
  done += 1;
  if (done === Number(last)) process.kill(process.pid, "SIGKILL");
  return sqlite.transaction(work).immediate();
};
await new Reconciler(sqlite, write).reconcile({ now: Date.now(), isFull: true });
