/** Runs cycles as fast as possible, and sends its memory use before the first and after every `step` cycles. */
import { startCollector } from "../collector.ts";
import type { Sample } from "../memory.ts";

const [cycles = 0, step = 1] = process.argv.slice(2).map(Number);
const mebibyte = 2 ** 20;
const collector = await startCollector(0);

function report(done: number): void {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const sample: Sample = { cycles: done, resident: rss / mebibyte, heap: heapUsed / mebibyte };
  process.send?.(sample);
}

report(0);
for (let done = 1; done <= cycles; done += 1) {
  await collector.forward();
  await collector.cycle();
  if (done % step === 0) report(done);
}
await collector.close();
process.disconnect();
