/** Corrects the positions of a database. Arguments: its path, and the number of snapshots after which this process kills itself. */

import { correct } from "../../../src/store/responses/correct.ts";
import { firstsOf, other } from "../corrections.ts";

const [path = "", left = ""] = process.argv.slice(2);
let done = 0;
await correct(path, other, firstsOf(path, other), {
  now: 0,
  onProgress() {
    done += 1;
    if (done === Number(left)) process.kill(process.pid, "SIGKILL");
  },
});
