/** Takes the lock of the database named on the command line, says so, and keeps it until killed. */
import { lockDatabase } from "../../../src/store/sqlite/lock.ts";

lockDatabase(process.argv[2] ?? "");
process.stdout.write("locked\n");
setInterval(() => {}, 1000);
