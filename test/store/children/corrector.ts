/** Corrects the positions of the database named on the command line, and is killed when it has dealt with so many snapshots. */

import { openRawReader, rawFile } from "../../../src/store/responses/archive-file.ts";
import { correct } from "../../../src/store/responses/correct.ts";
import { firstsOf, other } from "../corrections.ts";

const [path = "", left = ""] = process.argv.slice(2);
const raw = openRawReader(rawFile(path));
let done = 0;
if (raw)
  await correct(path, raw, other, firstsOf(path, other), {
    now: 0,
    onProgress() {
      done += 1;
      if (done === Number(left)) process.kill(process.pid, "SIGKILL");
    },
  });
