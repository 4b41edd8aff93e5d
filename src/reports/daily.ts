/** The daily files: at each slot of their schedule, every report of every local day that has none yet. */

import { accessSync, constants, lstatSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import type { Pattern } from "../core/cron.ts";
import { ConfigError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { dayMs } from "../core/time.ts";
import { writeAtomically } from "../output/atomic-file.ts";
import { type Period, periodOf, periodsOf } from "../queries/periods.ts";
import { makeFolder } from "../store/files/folder.ts";
import type { HistoryReader } from "../store/history.ts";
import { openHistory } from "../store/read/open-history.ts";
import { reports } from "./index.ts";
import { csvOf } from "./render.ts";
import type { Report } from "./report.ts";

export interface DailyOptions {
  databasePath: string;
  /** Made where it is missing, for its owner alone. */
  directory: string;
  /** In the time zone whose days the reports are about. */
  schedule: Pattern;
  clock: Clock;
  log: Log;
  /** Aborted when the program must stop at once: the report at hand is given up. */
  stopping?: AbortSignal;
}

export interface DailyReports {
  /** Makes the folder where it is missing. @throws ConfigError where it cannot be used */
  prepare(): void;
  /** To be called every second: starts what is due, at first at once, then at each slot. Cheap when nothing is. */
  tick(): void;
  /** Resolves when nothing is being written. */
  idle(): Promise<void>;
  /** Writes no more; resolves when that is so. */
  stop(): Promise<void>;
}

/** Days before today that are looked after, as weeks may pass with the program off. */
const daysBack = 35;

/** A day whose last slots have no final row yet is tried again after this. Milliseconds. */
const retryAfter = 5000;

/** A file that is there is never written again, whatever is in it; one that is missing is. */
export function createDailyReports(options: DailyOptions): DailyReports {
  const { databasePath, directory, schedule, clock, log, stopping } = options;
  let stopped = false;
  let writing: Promise<void> | null = null;
  let considered = Number.NaN;
  /** By the monotonic clock; null: nothing is left to wait for before the next slot. */
  let retryAt: number | null = null;

  function tick(): void {
    if (stopped || writing) return;
    const slot = schedule.latest(clock.now());
    if (slot === considered && (retryAt === null || clock.monotonic() < retryAt)) return;
    considered = slot;
    retryAt = null;
    writing = writeMissing()
      .then((all) => {
        if (!all) retryAt = clock.monotonic() + retryAfter;
      })
      .catch((error: unknown) => {
        if (stopping?.aborted) return;
        const problem = error instanceof Error ? error.message : String(error);
        const next = new Date(schedule.next(clock.now())).toISOString();
        log.error({ directory }, `daily reports: ${problem} What is missing is tried again at ${next}.`);
      })
      .finally(() => {
        writing = null;
      });
  }

  /** False where a day was left out because something may still be added to it. */
  async function writeMissing(): Promise<boolean> {
    prepareFolder(directory);
    const history = openHistory(databasePath);
    let written = 0;
    try {
      for (const day of completeDays(schedule.timezone, clock.now())) {
        const missing = reports.filter((report) => !isThere(pathOf(report, day)));
        await setImmediate();
        if (missing.length === 0 || !history.hasRuns(day)) continue;
        if (day.to > history.firstOpenSlot()) return false;
        for (const report of missing) {
          if (stopped) return true;
          await write(history, report, day);
          written += 1;
        }
      }
      return true;
    } finally {
      history.close();
      if (written > 0) log.info({ directory, files: written }, `${written} daily reports written to ${directory}`);
    }
  }

  const pathOf = (report: Report, day: Period): string => join(directory, `${report.name}-${day.name}.csv`);

  async function write(history: HistoryReader, report: Report, day: Period): Promise<void> {
    const source = { history, account: null, now: clock.now() };
    const { from, to } = day;
    const span = { timezone: schedule.timezone, by: "day", from, to } as const;
    await writeAtomically(pathOf(report, day), csvOf(report, source, span, { signal: stopping }));
  }

  async function idle(): Promise<void> {
    while (writing) await writing;
  }

  return {
    tick,
    prepare: () => prepareFolder(directory),
    idle,
    async stop() {
      stopped = true;
      await idle();
    },
  };
}

/** The last days that are over, the oldest first. */
function completeDays(timezone: string, now: number): Iterable<Period> {
  const today = periodOf(timezone, "day", now);
  return periodsOf({ timezone, by: "day", from: today.from - daysBack * dayMs, to: today.from });
}

/** A link that leads nowhere is there too: nothing is written through it. */
const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

function prepareFolder(directory: string): void {
  try {
    makeFolder(directory);
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([
      `${directory} cannot be written (${code}). Set REPORTS_DIR to a folder that can, or SCHEDULE_REPORTS to nothing.`,
    ]);
  }
}
