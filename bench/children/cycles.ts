/** Runs so many cycles as fast as they go, and tells its memory before the first and after every so many. */
import { startCollector } from "../collector.ts";
import type { Sample } from "../memory.ts";

const [cycles = 0, step = 1] = process.argv.slice(2).map(Number);
const mebibyte = 2 ** 20;
const collector = await startCollector(0);

function tell(done: number): void {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const sample: Sample = { cycles: done, resident: rss / mebibyte, heap: heapUsed / mebibyte };
  process.send?.(sample);
}

tell(0);
for (let done = 1; done <= cycles; done += 1) {
  await collector.forward();
  await collector.cycle();
  if (done % step === 0) tell(done);
}
await collector.close();
process.disconnect();
