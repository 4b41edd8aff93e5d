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

export interface ProgressBar {
  update(done: number, total: number): void;
  stop(): void;
}

/** A bar on a terminal, nothing elsewhere. */
export function startTerminalBar(what: string, unit: string): ProgressBar {
  const bar = process.stderr.isTTY ? startBar(what, 0, unit) : null;
  return {
    update(done, total) {
      bar?.setTotal(total);
      bar?.update(done);
    },
    stop: () => bar?.stop(),
  };
}

/** For the pages of a database that is copied. */
export const startCopyBar = (): ProgressBar => startTerminalBar("copying", "pages");
