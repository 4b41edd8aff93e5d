/** Lists the files of the daily reports, and reads one. */
import { createReadStream, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { reports } from "../../../reports/index.ts";

/** A file of a daily report. */
export interface ReportFile {
  name: string;
  /** `2026-10-31`. */
  day: string;
}

const pattern = new RegExp(`^(?:${reports.map(({ name }) => name).join("|")})-(\\d{4}-\\d\\d-\\d\\d)\\.csv$`);

/** Returns the files by month, `2026-10`, those of a month by name; empty where the folder cannot be read. */
export function filesByMonth(directory: string | null): Map<string, ReportFile[]> {
  const months = new Map<string, ReportFile[]>();
  for (const name of namesIn(directory).sort()) {
    const day = pattern.exec(name)?.[1];
    if (!day) continue;
    const month = day.slice(0, 7);
    months.set(month, [...(months.get(month) ?? []), { name, day }]);
  }
  return months;
}

function namesIn(directory: string | null): string[] {
  try {
    return directory === null ? [] : readdirSync(directory);
  } catch {
    // The first daily reports create the folder.
    return [];
  }
}

/** Returns the content of a file of a daily report; null if there is none of that name. Links are not followed. */
export function openReportFile(directory: string | null, name: string) {
  if (directory === null || !pattern.test(name)) return null;
  const path = join(directory, name);
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() ? createReadStream(path) : null;
}
