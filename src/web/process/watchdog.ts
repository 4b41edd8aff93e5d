/** Watches the dashboard process from a second thread: kills it when its main thread is stuck, or when its parent has ended. */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

const checkMs = 1000;
const { beats, seconds } = workerData as { beats: Int32Array; seconds: number };
const parent = process.ppid;
let lastBeat = Atomics.load(beats, 0);
/** Counts checks instead of elapsed time, because neither thread runs while the machine is asleep. */
let checksWithoutBeat = 0;

setInterval(() => {
  const now = Atomics.load(beats, 0);
  checksWithoutBeat = now === lastBeat ? checksWithoutBeat + 1 : 0;
  lastBeat = now;
  const isStuck = checksWithoutBeat > seconds;
  if (isStuck) writeSync(2, `a page blocked the dashboard for ${seconds} s`);
  if (isStuck || process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, checkMs);
