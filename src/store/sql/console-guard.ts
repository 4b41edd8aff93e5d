/** Watches the process of one query from a second thread: kills it when it uses too much memory, or when its parent has exited. */
import { writeSync } from "node:fs";

const intervalMs = 25;
const maxBytes = 400_000_000;
const parent = process.ppid;

setInterval(() => {
  const isTooLarge = process.memoryUsage.rss() > maxBytes;
  if (isTooLarge) writeSync(2, "stopped: the query used more than 400 MB of memory; select fewer rows");
  if (isTooLarge || process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, intervalMs);
