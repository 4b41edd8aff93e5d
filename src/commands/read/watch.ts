/** `status --watch`: what the database says, drawn anew in place; one block after the other where nobody looks at a terminal. */
import { setTimeout as sleep } from "node:timers/promises";
import { CollectorError } from "../../core/errors.ts";
import { sqliteErrorOf } from "../../store/sqlite/write-queue.ts";
import { stopSignals } from "../run/signals.ts";
import { truncateToWidth } from "../shared/width.ts";
import { type Line, overviewLines, type Tone } from "./watch-lines.ts";

export interface WatchOptions {
  databasePath: string;
  /** Whose days "yesterday" is about. */
  timezone: string;
  isColoured: boolean;
  write(text: string): Promise<boolean>;
}

const interval = 2000;

/** The other screen, no cursor, no wrapping; and back. See xterm's "Control Sequences". */
const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";

/** Until a signal, or until nobody reads on. @throws ConfigError where there is no database of ours to begin with */
export async function watch({ databasePath, timezone, isColoured, write }: WatchOptions): Promise<number> {
  const { stdout } = process;
  const ending = new AbortController();
  const end = () => ending.abort();
  let linesNow = overviewLines(databasePath, timezone, Date.now());
  const draw = () => write(stdout.isTTY ? renderInPlace(linesNow, stdout, isColoured) : plainly(linesNow));
  const redraw = () => void draw();
  // However this ends, the terminal is given back as it was.
  const giveBack = () => void stdout.write(leave);
  const pause = () => {
    giveBack();
    process.kill(process.pid, "SIGSTOP");
  };
  const goOn = () => {
    stdout.write(enter);
    redraw();
  };
  for (const signal of stopSignals()) process.on(signal, end);
  if (stdout.isTTY) {
    process.on("exit", giveBack).on("SIGTSTP", pause).on("SIGCONT", goOn);
    stdout.on("resize", redraw);
    stdout.write(enter);
  }
  try {
    while (!ending.signal.aborted && (await draw())) {
      await sleep(interval, null, { signal: ending.signal }).catch(() => {});
      linesNow = linesOrError(databasePath, timezone, Date.now());
    }
    return 0;
  } finally {
    for (const signal of stopSignals()) process.off(signal, end);
    process.off("exit", giveBack).off("SIGTSTP", pause).off("SIGCONT", goOn);
    stdout.off("resize", redraw);
    if (stdout.isTTY) giveBack();
  }
}

/** A database that cannot be read for a moment is said, and tried again. */
export function linesOrError(databasePath: string, timezone: string, now: number): Line[] {
  try {
    return overviewLines(databasePath, timezone, now);
  } catch (error) {
    const damage = sqliteErrorOf(error);
    if (!damage && !(error instanceof CollectorError)) throw error;
    const problem = damage
      ? `${databasePath} cannot be read: ${damage.message} (${damage.code})`
      : (error as Error).message;
    return problem.split("\n").map((text) => ({ text, tone: "bad" }));
  }
}

const plainly = (lines: readonly Line[]): string => `${lines.map(({ text }) => text).join("\n")}\n\n`;

const colours: Record<Tone, string> = { plain: "", title: "\u001b[1m", bad: "\u001b[31m", faint: "\u001b[2m" };

/**
 * As many lines as there is room for, each cut at the edge; what stood there before is wiped away. A terminal that does not
 * know its size says 0.
 */
export function renderInPlace(
  lines: readonly Line[],
  size: { columns: number; rows: number },
  isColoured: boolean,
): string {
  const columns = size.columns || 80;
  const rows = size.rows || 24;
  const hidden = lines.length > rows ? lines.length - rows + 1 : 0;
  const shown: Line[] = hidden > 0 ? lines.slice(0, rows - 1) : [...lines];
  if (hidden > 0) shown.push({ text: `… ${hidden} more lines: make the window higher`, tone: "faint" });
  const drawn = shown.map(({ text, tone }) => {
    const colour = isColoured ? colours[tone] : "";
    return `${colour}${truncateToWidth(text, columns)}${colour && "\u001b[0m"}\u001b[K`;
  });
  return `\u001b[H${drawn.join("\n")}\u001b[J`;
}
