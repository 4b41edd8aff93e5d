/** How far long work has come, on stderr: a bar on a terminal, a line every few seconds elsewhere. */
import { SingleBar } from "cli-progress";

export function startBar(what: string, total: number, unit: string): SingleBar {
  const bar = new SingleBar({
    format: `${what} [{bar}] {percentage}% {value}/{total} ${unit}, {duration_formatted}`,
    noTTYOutput: true,
    notTTYSchedule: 5000,
    stream: process.stderr,
  });
  bar.start(total, 0);
  return bar;
}

/** A bar for the pages of a database that is copied, on a terminal; nothing elsewhere. */
export function copyingBar(): { update(done: number, total: number): void; stop(): void } {
  const bar = process.stderr.isTTY ? startBar("copying", 0, "pages") : null;
  return {
    update(done, total) {
      bar?.setTotal(total);
      bar?.update(done);
    },
    stop: () => bar?.stop(),
  };
}
