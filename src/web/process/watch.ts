/** Watches the process of the pages from a thread beside it: ends it when it is stuck, or when who started it is gone. */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

const everyMs = 1000;
const { beats, seconds } = workerData as { beats: Int32Array; seconds: number };
const parent = process.ppid;
let seen = Atomics.load(beats, 0);
/** Looks, not time that passed: while the machine sleeps nobody beats. */
let looksWithout = 0;

setInterval(() => {
  const now = Atomics.load(beats, 0);
  looksWithout = now === seen ? looksWithout + 1 : 0;
  seen = now;
  const isStuck = looksWithout > seconds;
  if (isStuck) writeSync(2, `a page kept it busy for ${seconds} s`);
  if (isStuck || process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, everyMs);
