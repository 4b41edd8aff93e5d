/** Checks the daily coverage files: one row per series, counted over local days of 23, 24 or 25 hours. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { calendar, type Period } from "../scenarios/month/calendar.ts";
import type { Check } from "./checks.ts";
import { allSeries, nameOf } from "./expected.ts";
import { hour, simulationStart, timezone } from "./plan.ts";
import type { Simulation } from "./simulate.ts";

const states = ["ok", "partial", "failed", "missed"] as const;

export function wrongReports(simulation: Simulation): Check {
  const days = calendar(timezone, "day", simulationStart, simulation.plan.ended).filter(
    ({ to }) => to < simulation.plan.ended - 2 * hour,
  );
  const problems: string[] = [];
  const odd: string[] = [];
  for (const day of days) {
    if ((day.to - day.from) / hour !== 24) odd.push(`${day.name} of ${(day.to - day.from) / hour} h`);
    problems.push(...wrongDay(simulation, day));
  }
  return {
    promise: `each day of ${timezone} has its report, and that has the right counts`,
    problems,
    extent: [`${days.length} days`, ...odd].join(", "),
  };
}

function wrongDay({ reportsFolder, expected }: Simulation, { name, from, to }: Period): string[] {
  const path = join(reportsFolder, `coverage-${name}.csv`);
  if (!existsSync(path)) return [`there is no ${path}`];
  const lines = readFileSync(path, "utf8").split("\r\n");
  return allSeries.flatMap((series) => {
    const due = [...(expected.outcomes.get(nameOf(series)) ?? [])].filter(([slot]) => slot >= from && slot < to);
    const counts = [due.length, ...states.map((state) => due.filter(([, outcome]) => outcome.state === state).length)];
    const start = [name, series.account, series.dataset, ...counts, 0].join();
    const isThere = lines.some((line) => line.startsWith(`${start},`));
    return isThere || due.length === 0 ? [] : [`${path} has no row that begins with ${start}`];
  });
}
