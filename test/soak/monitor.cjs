// Measures the process it is loaded into: writes a line of JSON to descriptor 3 every few seconds. Needs --expose-gc.
const { writeSync } = require("node:fs");
const { monitorEventLoopDelay } = require("node:perf_hooks");

const resolution = 10;
const everyMs = 5000;
/** Samples after which the program has started; delays until then are not counted. */
const started = 3;
const delay = monitorEventLoopDelay({ resolution });
delay.enable();

/** The monitor samples every 10 ms; how late a sample is counts as delay. */
const milliseconds = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - resolution);
const passing = new Set(["Timeout", "Immediate", "FSReqCallback", "FSReqPromise", "TickObject"]);
let count = 0;

setInterval(() => {
  const handles = process.getActiveResourcesInfo().filter((name) => !passing.has(name)).length;
  const littered = process.memoryUsage().rss;
  // Collects garbage first: only what remains may be a leak.
  globalThis.gc();
  const { rss, heapUsed: heap } = process.memoryUsage();
  count += 1;
  if (count === started) delay.reset();
  const p99 = milliseconds(delay.percentile(99));
  writeSync(3, `${JSON.stringify({ littered, rss, heap, handles, p99, max: milliseconds(delay.max) })}\n`);
}, everyMs).unref();
