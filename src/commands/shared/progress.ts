/** Shows progress bars on stderr. */
import { SingleBar } from "cli-progress";

/** Starts a bar; without a terminal it prints a line every five seconds instead. */
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

/** Starts a bar that is shown only on a terminal. */
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

/** Starts the bar for copying a database; it counts SQLite pages. */
export const startCopyBar = (): ProgressBar => startTerminalBar("copying", "pages");
