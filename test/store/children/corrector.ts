/** Corrects the positions of the database named on the command line, and is killed when it has dealt with so many snapshots. */

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
