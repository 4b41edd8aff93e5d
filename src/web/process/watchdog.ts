/** Watches the process of the pages from a thread beside it: ends it when it is stuck, or when who started it is gone. */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

const checkMs = 1000;
const { beats, seconds } = workerData as { beats: Int32Array; seconds: number };
const parent = process.ppid;
let lastBeat = Atomics.load(beats, 0);
/** Looks, not time that passed: while the machine sleeps nobody beats. */
let checksWithoutBeat = 0;

setInterval(() => {
  const now = Atomics.load(beats, 0);
  checksWithoutBeat = now === lastBeat ? checksWithoutBeat + 1 : 0;
  lastBeat = now;
  const isStuck = checksWithoutBeat > seconds;
  if (isStuck) writeSync(2, `a page kept it busy for ${seconds} s`);
  if (isStuck || process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, checkMs);
