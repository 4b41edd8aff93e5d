/** Runs `status --watch`: refreshes an overview of the database in place, or without a terminal prints one block after the other. */
import { setTimeout as sleep } from "node:timers/promises";
import { CollectorError } from "../../core/errors.ts";
import { sqliteErrorOf } from "../../store/sqlite/write-queue.ts";
import { stopSignals } from "../run/signals.ts";
import { truncateToWidth } from "../shared/width.ts";
import { type Line, overviewLines, type Tone } from "./watch-lines.ts";

export interface WatchOptions {
  databasePath: string;
  /** The time zone of "yesterday". */
  timezone: string;
  isColoured: boolean;
  write(text: string): Promise<boolean>;
}

const refreshMs = 2000;

/** The size of a terminal that does not know its own. */
const defaultSize = { columns: 80, rows: 24 };

/** Control sequences of xterm: alternate screen, hidden cursor, no wrapping; and their reversal. */
const enterScreen = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const leaveScreen = "\u001b[?7h\u001b[?25h\u001b[?1049l";

/**
 * Refreshes until a signal, or until the reader closes the pipe; resolves with the exit code.
 * @throws ConfigError when there is no usable database at the start
 */
export async function watch({ databasePath, timezone, isColoured, write }: WatchOptions): Promise<number> {
  const { stdout } = process;
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  const width = () => (stdout.isTTY ? stdout.columns || defaultSize.columns : Number.POSITIVE_INFINITY);
  let lines = overviewLines(databasePath, timezone, Date.now(), width());
  const draw = () => write(stdout.isTTY ? renderInPlace(lines, stdout, isColoured) : plainText(lines));
  const refresh = () => {
    lines = linesOrError(databasePath, timezone, Date.now(), width());
  };
  const redraw = () => {
    refresh();
    void draw();
  };
  // Also on exit, so that the terminal is restored however the program ends.
  const restoreTerminal = () => void stdout.write(leaveScreen);
  const pause = () => {
    restoreTerminal();
    process.kill(process.pid, "SIGSTOP");
  };
  const resume = () => {
    stdout.write(enterScreen);
    redraw();
  };
  for (const signal of stopSignals()) process.on(signal, stop);
  if (stdout.isTTY) {
    process.on("exit", restoreTerminal).on("SIGTSTP", pause).on("SIGCONT", resume);
    stdout.on("resize", redraw);
    stdout.write(enterScreen);
  }
  try {
    while (!stopping.signal.aborted && (await draw())) {
      await sleep(refreshMs, null, { signal: stopping.signal }).catch(() => {});
      refresh();
    }
    return 0;
  } finally {
    for (const signal of stopSignals()) process.off(signal, stop);
    process.off("exit", restoreTerminal).off("SIGTSTP", pause).off("SIGCONT", resume);
    stdout.off("resize", redraw);
    if (stdout.isTTY) restoreTerminal();
  }
}

/** Returns the overview, or an error message if the database cannot be read at the moment; the next refresh tries again. */
export function linesOrError(databasePath: string, timezone: string, now: number, width?: number): Line[] {
  try {
    return overviewLines(databasePath, timezone, now, width);
  } catch (error) {
    const sqliteError = sqliteErrorOf(error);
    if (!sqliteError && !(error instanceof CollectorError)) throw error;
    const problem = sqliteError
      ? `${databasePath} cannot be read: ${sqliteError.message} (${sqliteError.code})`
      : (error as Error).message;
    return problem.split("\n").map((text) => ({ text, tone: "bad" }));
  }
}

const plainText = (lines: readonly Line[]): string => `${lines.map(({ text }) => text).join("\n")}\n\n`;

const colours: Record<Tone, string> = { plain: "", title: "\u001b[1m", bad: "\u001b[31m", faint: "\u001b[2m" };

/**
 * Returns the control sequences that replace the screen by as many lines as fit, each truncated at the edge. A size of 0 (unknown to the
 * terminal) counts as 80 × 24.
 */
export function renderInPlace(
  lines: readonly Line[],
  size: { columns: number; rows: number },
  isColoured: boolean,
): string {
  const columns = size.columns || defaultSize.columns;
  const rows = size.rows || defaultSize.rows;
  const hidden = lines.length > rows ? lines.length - rows + 1 : 0;
  const shown: Line[] = hidden > 0 ? lines.slice(0, rows - 1) : [...lines];
  if (hidden > 0) shown.push({ text: `… ${hidden} more lines: enlarge the window`, tone: "faint" });
  const rendered = shown.map(({ text, tone }) => {
    const colour = isColoured ? colours[tone] : "";
    return `${colour}${truncateToWidth(text, columns)}${colour && "\u001b[0m"}\u001b[K`;
  });
  return `\u001b[H${rendered.join("\n")}\u001b[J`;
}
