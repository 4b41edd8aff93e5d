/** The daily coverage files: a row for every series, counted over local days of 23, 24 or 25 hours. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { calendar, type Period } from "../scenarios/life/calendar.ts";
import type { Check } from "./checks.ts";
import { allSeries, nameOf } from "./expected.ts";
import type { Lived } from "./life.ts";
import { began, hour, timezone } from "./plan.ts";

const states = ["ok", "partial", "failed", "missed"] as const;

export function wrongReports(lived: Lived): Check {
  const days = calendar(timezone, "day", began, lived.plan.ended).filter(({ to }) => to < lived.plan.ended - 2 * hour);
  const problems: string[] = [];
  const odd: string[] = [];
  for (const day of days) {
    if ((day.to - day.from) / hour !== 24) odd.push(`${day.name} of ${(day.to - day.from) / hour} h`);
    problems.push(...wrongDay(lived, day));
  }
  return {
    promise: `each day of ${timezone} has its report, and that has the right counts`,
    problems,
    seen: [`${days.length} days`, ...odd].join(", "),
  };
}

function wrongDay({ reportsFolder, expected }: Lived, { name, from, to }: Period): string[] {
  const path = join(reportsFolder, `coverage-${name}.csv`);
  if (!existsSync(path)) return [`there is no ${path}`];
  const lines = readFileSync(path, "utf8").split("\r\n");
  return allSeries.flatMap((series) => {
    const due = [...(expected.fates.get(nameOf(series)) ?? [])].filter(([slot]) => slot >= from && slot < to);
    const counts = [due.length, ...states.map((state) => due.filter(([, fate]) => fate.state === state).length)];
    const start = [name, series.account, series.dataset, ...counts, 0].join();
    const isThere = lines.some((line) => line.startsWith(`${start},`));
    return isThere || due.length === 0 ? [] : [`${path} has no row that begins with ${start}`];
  });
}
