/** Watches the process of one query from a thread beside it: ends it when it holds too much, or when nobody waits for it. */
import { writeSync } from "node:fs";

const everyMs = 25;
const mostBytes = 400_000_000;
const parent = process.ppid;

setInterval(() => {
  const holdsTooMuch = process.memoryUsage.rss() > mostBytes;
  if (holdsTooMuch) writeSync(2, "stopped at 400 MB of memory; ask for less at a time");
  if (holdsTooMuch || process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, everyMs);
