/** Checks what must hold for a database after any fault, with code that shares nothing with the program but SQLite. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import Database from "better-sqlite3";
import type { Finished } from "../support/program.ts";

type Rows = Record<string, unknown>[];

/** Returns one sentence per violation. `ends` are the processes that wrote to the database; all have ended. */
export async function violations(path: string, ends: readonly Finished[]): Promise<string[]> {
  return existsSync(path) ? [...violationsWithoutVerify(path, ends), ...(await verified(path))] : [];
}

/** Returns the violations that this file finds itself; `violations` adds those that `db verify` prints. */
export function violationsWithoutVerify(path: string, ends: readonly Finished[]): string[] {
  const problems: string[] = [];
  const database = new Database(path, { readonly: true });
  const all = (sql: string): Rows => database.prepare(sql).all() as Rows;
  const none = (what: string, sql: string) => {
    for (const found of all(sql).slice(0, 3)) problems.push(`${what}: ${JSON.stringify(found)}`);
  };
  try {
    const check = database.pragma("integrity_check", { simple: true });
    if (check !== "ok") problems.push(`integrity_check: ${check}`);
    none("a row without its parent", "select * from pragma_foreign_key_check");
    none("still running", "select * from runs where state = 'running'");
    none(
      "a slot twice",
      "select account, dataset, scheduled_for, count(*) as n from runs group by 1, 2, 3 having n > 1",
    );
    none(
      "a failed snapshot with rows",
      "select * from snapshots where state = 'failed' and (rows <> 0 or error_code is null)",
    );
    none(
      "a run whose row count differs from its snapshots",
      `select r.run_id, r.rows, sum(n.rows) as found from runs r left join snapshots n using (run_id)
       where r.state in ('ok', 'partial') group by r.run_id having coalesce(found, 0) <> r.rows`,
    );
    none(
      "a snapshot of a missed or skipped run",
      "select n.snapshot_id from snapshots n join runs r using (run_id) where r.state in ('missed', 'skipped')",
    );
    for (const { name } of all("select name from sqlite_schema where type = 'view' and name glob '*_history'")) {
      const view = String(name);
      const dataset = view.replace("_history", "").replaceAll("_", "-");
      none(
        `${view} shows another number of rows than its snapshot records`,
        `with shown as materialized (select snapshot_id, count(*) as n from ${view} group by 1)
         select n.snapshot_id, n.rows, coalesce(s.n, 0) as shown from snapshots n left join shown s using (snapshot_id)
         where n.state = 'ok' and n.dataset = '${dataset}' and n.rows <> coalesce(s.n, 0)`,
      );
    }
    problems.push(...slotsWithoutRow(all));
    problems.push(...loggedButNotStored(all, ends));
  } finally {
    database.close();
  }
  const name = basename(path, ".db");
  for (const file of readdirSync(dirname(path)).filter((one) => one.startsWith(name))) {
    const mode = statSync(join(dirname(path), file)).mode & 0o777;
    if ((mode & 0o077) !== 0) problems.push(`${file} can be read by others: 0${mode.toString(8)}`);
  }
  return problems;
}

/** Finds due slots without a row, from the beginning of each schedule to its last row, by an independent enumeration. */
function slotsWithoutRow(all: (sql: string) => Rows): string[] {
  const problems: string[] = [];
  const schedules = all("select * from schedules").map((one) => ({
    ...one,
    series: `account = '${one.account}' and dataset = '${one.dataset}'`,
    name: `${one.account} ${one.dataset}`,
    every: periodOf(String(one.pattern)),
    since: Date.parse(String(one.since)),
    until: one.until === null ? null : Date.parse(String(one.until)),
  }));
  for (const { series, name, every, since, until } of schedules) {
    if (every === null) continue;
    // A clock that was ahead leaves a schedule that ends before it begins, and slots after the current time.
    const strayed = schedules.filter((one) => one.name === name && one.until !== null && one.until < one.since);
    const horizon = Math.min(...strayed.map((one) => one.since));
    const slots = new Set(
      all(`select scheduled_for_ms as slot from runs where ${series} and scheduled_for_ms % 1000 = 0`)
        .map(({ slot }) => Number(slot))
        .filter((slot) => slot <= horizon),
    );
    const end = until ?? Math.max(0, ...slots);
    for (let slot = Math.floor(since / every) * every + every; slot <= end && problems.length < 5; slot += every)
      if (!slots.has(slot)) problems.push(`${name} has no row for ${new Date(slot).toISOString()}`);
  }
  return problems;
}

/** Returns the period of a cron pattern, ms; null for patterns that no row uses. */
function periodOf(pattern: string): number | null {
  const [, seconds] = /^\*(?:\/(\d+))? \* \* \* \* \*$/.exec(pattern) ?? [];
  if (/^\*(\/\d+)? \* \* \* \* \*$/.test(pattern)) return 1000 * Number(seconds ?? 1);
  const [, minutes] = /^\*(?:\/(\d+))? \* \* \* \*$/.exec(pattern) ?? [];
  return /^\*(\/\d+)? \* \* \* \*$/.test(pattern) ? 60_000 * Number(minutes ?? 1) : null;
}

/** Finds runs that the log reported as stored and the database does not have in that state. */
function loggedButNotStored(all: (sql: string) => Rows, ends: readonly Finished[]): string[] {
  const stored = new Map(
    all("select account, dataset, scheduled_for, state from runs").map((run) => [
      `${run.account} ${run.dataset} ${run.scheduled_for}`,
      run.state,
    ]),
  );
  const logged = ends.flatMap(({ stderr }) => [
    ...stderr.matchAll(/"account":"(\w+)","dataset":"([\w-]+)","slot":"([^"]+)","state":"(ok|partial)"/g),
  ]);
  return logged
    .filter(([, account, dataset, slot, state]) => stored.get(`${account} ${dataset} ${slot}`) !== state)
    .map(([, account, dataset, slot, state]) => `logged as ${state} but not stored: ${account} ${dataset} ${slot}`);
}

/** Returns the failure of the program's own verification; nothing where it passes. */
async function verified(path: string): Promise<string[]> {
  try {
    await promisify(execFile)(process.execPath, [resolve("dist/main.js"), "db", "verify"], {
      env: { PATH: process.env.PATH ?? "", DATABASE_URL: `file:${path}` },
    });
    return [];
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return [`db verify: ${stdout}${stderr}`];
  }
}
