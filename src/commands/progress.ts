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
