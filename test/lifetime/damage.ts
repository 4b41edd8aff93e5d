/** Damages a copy of the database in known ways, to show that the checks detect them. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { compare } from "./checks.ts";
import type { Simulation } from "./simulate.ts";

const first = (where: string): string => `(select id from run where ${where} order by id limit 1)`;

/** Statements run on the copy. Amounts are blobs; `0F` is "0". */
const statements: Record<string, string> = {
  "a slot without a row": `delete from run where id = ${first("state = 'missed'")}`,
  "a slot twice":
    "insert into run (series_id, slot, state, cause) select series_id, slot + 1, state, cause from run limit 1",
  "a missed slot called complete": `update run set state = 'ok' where id = ${first("state = 'missed'")}`,
  "another cause": `update run set cause = 'blocked' where id = ${first("cause = 'crashed'")}`,
  "rows of a run that failed": `update run set state = 'failed' where id = ${first("state = 'ok'")}`,
  "a digit changed":
    "update positions_moving set mark_price = cast(mark_price || x'1F' as blob) where since = (select max(since) from positions_moving)",
  "unknown written as zero": "update spot_assets_steady set locked = x'0F' where locked is null and present = 1",
  "an answer of a complete run missing":
    "update snapshot set error_code = 'lost' where id = (select max(id) from snapshot where rows = 0 and error_code is null)",
  "taken at another instant": "update snapshot set taken_at = taken_at + 1 where id = (select max(id) from snapshot)",
};

/** Returns the names of the damages that the checks missed; `all` is the number of damages. */
export function undetectedDamage(simulation: Simulation): { all: number; names: string[] } {
  const folder = join(dirname(simulation.path), "damaged");
  const names: string[] = [];
  const attempt = (name: string, damage: (copy: Simulation) => void) => {
    const copy = { ...simulation, path: join(folder, "collector.db"), reportsFolder: join(folder, "reports") };
    mkdirSync(copy.reportsFolder, { recursive: true });
    copyFileSync(simulation.path, copy.path);
    for (const file of readdirSync(simulation.reportsFolder).filter((one) => one.startsWith("coverage-")))
      copyFileSync(join(simulation.reportsFolder, file), join(copy.reportsFolder, file));
    damage(copy);
    if (compare(copy).every(({ problems }) => problems.length === 0)) names.push(name);
    rmSync(folder, { recursive: true });
  };
  for (const [name, sql] of Object.entries(statements)) attempt(name, ({ path }) => alter(path, sql));
  attempt("a day without its report", ({ reportsFolder }) => rmSync(someReport(reportsFolder)));
  attempt("a report with another count", ({ reportsFolder }) => {
    const path = someReport(reportsFolder);
    writeFileSync(
      path,
      readFileSync(path, "utf8").replace(/,(\d+),/, (_, count) => `,${Number(count) + 1},`),
    );
  });
  return { all: Object.keys(statements).length + 2, names };
}

const someReport = (folder: string): string => join(folder, readdirSync(folder).sort()[1] ?? "");

function alter(path: string, sql: string): void {
  const database = new Database(path);
  try {
    database.pragma("foreign_keys = OFF");
    if (database.prepare(sql).run().changes === 0) throw new Error(`nothing to damage: ${sql}`);
  } finally {
    database.close();
  }
}
