/** Writes the daily reports: at each slot of their schedule, every missing file of each complete local day. */

import { accessSync, constants, lstatSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import type { Pattern } from "../core/cron.ts";
import { ConfigError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { dayMs, hourMs } from "../core/time.ts";
import { writeAtomically } from "../output/atomic-file.ts";
import { ledgerCause } from "../queries/ledger.ts";
import { type Period, periodOf, periodsOf } from "../queries/periods.ts";
import { makeFolder } from "../store/files/folder.ts";
import type { HistoryReader } from "../store/history.ts";
import { openHistory } from "../store/read/open-history.ts";
import { reports } from "./index.ts";
import { csvOf } from "./render.ts";
import type { Report } from "./report.ts";

export interface DailyOptions {
  databasePath: string;
  /** The folder of the reports; created if it is missing, accessible to its owner only. */
  directory: string;
  /** When reports are written, in the time zone of the report days. */
  schedule: Pattern;
  clock: Clock;
  log: Log;
  /** Aborted when the program must stop at once: the current report is discarded. */
  stopping?: AbortSignal;
}

/** Writes the daily reports of a process. */
export interface DailyReports {
  /** Creates the folder if it is missing. @throws ConfigError if it cannot be written */
  prepare(): void;
  /** Starts writing at the first call and at each slot. Call it every second; it takes no time if nothing is due. */
  tick(): void;
  /** Resolves when nothing is being written. */
  idle(): Promise<void>;
  /** Starts no more reports. Resolves when the current one is written. */
  stop(): Promise<void>;
}

/** Reports are written for this many days before today, because the program may have been off for weeks. */
const daysBack = 35;

/** A report waits so long for the last entries of the ledger; without them its sums are unknown. Milliseconds. */
const longestWaitMs = hourMs;

/** A day whose last slots have no final row yet is retried after this time. Milliseconds. */
const retryAfterMs = 5000;

/** Creates the writer of the daily reports. It never overwrites an existing file. */
export function createDailyReports(options: DailyOptions): DailyReports {
  const { databasePath, directory, schedule, clock, log, stopping } = options;
  let stopped = false;
  let writing: Promise<void> | null = null;
  let lastSlot = Number.NaN;
  /** The time of the next retry by the monotonic clock; null if nothing is retried before the next slot. */
  let retryAt: number | null = null;

  function tick(): void {
    if (stopped || writing) return;
    const slot = schedule.latest(clock.now());
    if (slot === lastSlot && (retryAt === null || clock.monotonic() < retryAt)) return;
    lastSlot = slot;
    retryAt = null;
    writing = writeMissing()
      .then((all) => {
        if (!all) retryAt = clock.monotonic() + retryAfterMs;
      })
      .catch((error: unknown) => {
        if (stopping?.aborted) return;
        const problem = error instanceof Error ? error.message : String(error);
        const next = new Date(schedule.next(clock.now())).toISOString();
        log.error({ directory }, `daily reports: ${problem} Missing reports are retried at ${next}.`);
      })
      .finally(() => {
        writing = null;
      });
  }

  /**
   * Writes the missing reports. Resolves with false if some were left out because slots of their day have no final row yet, or
   * because the ledger was not read up to the end of the day.
   */
  async function writeMissing(): Promise<boolean> {
    prepareFolder(directory);
    const history = openHistory(databasePath);
    let written = 0;
    let isComplete = true;
    try {
      for (const day of completeDays(schedule.timezone, clock.now())) {
        const missing = reports.filter((report) => !exists(pathOf(report, day)));
        await setImmediate();
        if (missing.length === 0 || !history.hasRuns(day)) continue;
        if (day.to > history.firstOpenSlot()) return false;
        const isLedgerRead = clock.now() > day.to + longestWaitMs || isReadThrough(history, day);
        for (const report of missing) {
          if (stopped) return true;
          if (report.usesLedger && !isLedgerRead) {
            isComplete = false;
            continue;
          }
          await write(history, report, day);
          written += 1;
        }
      }
      return isComplete;
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

/** Returns true if every ledger of the day was read up to its end. */
const isReadThrough = (history: HistoryReader, day: Period): boolean =>
  history.ledgers(null).every((ledger) => ledgerCause(ledger, day) === null);

/** Returns the last complete days, oldest first. */
function completeDays(timezone: string, now: number): Iterable<Period> {
  const today = periodOf(timezone, "day", now);
  return periodsOf({ timezone, by: "day", from: today.from - daysBack * dayMs, to: today.from });
}

/** Returns true if the path exists, also as a broken link, which must not be written through. */
const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

function prepareFolder(directory: string): void {
  try {
    makeFolder(directory);
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([
      `${directory} cannot be written (${code}). Set REPORTS_DIR to a writable folder, or SCHEDULE_REPORTS to an empty value.`,
    ]);
  }
}
