/** Takes the lock of a database, prints a line, and holds the lock until killed. Argument: the path of the database. */
import { lockDatabase } from "../../../src/store/sqlite/lock.ts";

lockDatabase(process.argv[2] ?? "");
process.stdout.write("locked\n");
setInterval(() => {}, 1000);
