/** Databases of other versions of the program and their migration: rows S14 to S18. */
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { expect } from "vitest";
import { ownMigrations } from "../../src/store/sqlite/migrations.ts";
import { type Bench, isQuick, row, rowElsewhere } from "./row.ts";
import { canTrace, underStrace } from "./syscalls.ts";

const fixtures = "test/fixtures/database";
/** Returns the fixture of the version with `migrations + 1` migrations. */
const fixtureOf = (version: number): string => `${String(version).padStart(4, "0")}.sql`;
const own = ownMigrations().length;

/** Creates a database of an older version in its own folder. */
function written({ folder }: Bench, version: number, name: string): string {
  const path = join(folder, name, "collector.db");
  mkdirSync(join(folder, name), { mode: 0o700 });
  new Database(path).exec(readFileSync(join(fixtures, fixtureOf(version)), "utf8")).close();
  return path;
}

function read<T>(path: string, look: (database: Database.Database) => T): T {
  const database = new Database(path, { readonly: true });
  try {
    return look(database);
  } finally {
    database.close();
  }
}

const tablesOf = (database: Database.Database): string[] =>
  database.prepare("select name from sqlite_master where type = 'table' order by 1").pluck().all() as string[];

/** Returns the row count of each table except that of the migrations. */
const countsOf = (path: string, tables?: readonly string[]): Record<string, unknown> =>
  read(path, (database) =>
    Object.fromEntries(
      (tables ?? tablesOf(database))
        .filter((table) => !["migration", "sqlite_stat1"].includes(table))
        .map((table) => [table, database.prepare(`select count(*) from "${table}"`).pluck().get()]),
    ),
  );

/** Returns what a migration must not change: the digests and every finished run. */
const digestsOf = (path: string): unknown =>
  read(path, (database) => [
    database.prepare("select id, run_id, hex(digest) from snapshot order by id").raw().all(),
    database.prepare("select id, slot, state, cause, rows from run where state <> 'running' order by id").raw().all(),
    database.prepare("select * from spot_assets_history").raw().all(),
  ]);

row(
  "S14",
  "older schema (every released version's fixture)",
  { inEveryRun: true, timeoutSeconds: 60 },
  async (bench) => {
    const { run } = bench;
    const versions = readdirSync(fixtures).filter((name) => name.endsWith(".sql"));
    // Each release adds its fixture here, so that a later change of its migration is detected.
    expect(versions.length).toBeGreaterThanOrEqual(own - 1);
    await Promise.all(
      versions.map(async (_, version) => {
        const path = written(bench, version, `v${version}`);
        const before = countsOf(path);
        const digests = digestsOf(path);
        const env = { DATABASE_URL: `file:${path}` };
        const { code, stdout } = await run(["db", "migrate"], env);
        expect([version, code]).toEqual([version, 0]);
        const backup = `${path}.before-${own}`;
        if (version + 1 < own) {
          expect(stdout).toContain(`after a backup to ${backup}`);
          expect([countsOf(backup), digestsOf(backup), statSync(backup).mode & 0o777]).toEqual([
            before,
            digests,
            0o600,
          ]);
        } else expect(stdout).toContain("already up to date");
        // Migrations add links, and an alert cursor for each account.
        const { link: _links, alert_figure: _positions, ...kept } = before;
        expect(countsOf(path, Object.keys(kept))).toEqual(kept);
        expect(digestsOf(path)).toEqual(digests);
        if (version === 0) expect((await run(["collect", "spot-assets", "positions"], env)).code).toBe(0);
        expect((await run(["db", "verify"], env)).stdout).toContain("OK, unaltered");
      }),
    );
  },
);

row("S15", "newer schema", { inEveryRun: true, timeoutSeconds: 60 }, async (bench) => {
  const { run, path } = bench;
  const newer = join(bench.folder, "newer", "collector.db");
  const env = { DATABASE_URL: `file:${newer}` };
  expect((await run(["collect", "spot-assets"], env)).code).toBe(0);
  const later = new Database(newer);
  later.exec(`insert into migration (hash, applied_at) values ('later', 0); pragma user_version = ${own + 1}`).close();
  const bytes = readFileSync(newer);
  await Promise.all(
    [["start"], ["status"], ["db", "restore", newer]].map(async (args) => {
      const { code, stderr } = await run(args, args.includes("restore") ? {} : env);
      expect([args, code]).toEqual([args, 78]);
      expect(stderr).toContain(
        `${newer} is newer than this program. Update bitget-collector, or restore an older backup`,
      );
    }),
  );
  expect(readFileSync(newer).equals(bytes)).toBe(true);
  expect(() => statSync(path)).toThrow("ENOENT");
});

/** Returns the schema version after SQLite has rolled back an incomplete transaction, which needs a writable connection. */
function recovered(path: string): unknown {
  const database = new Database(path);
  try {
    return database.pragma("user_version", { simple: true });
  } finally {
    database.close();
  }
}

const traced = (out: string, fault: string): string[] =>
  underStrace(["trace=pwrite64", `inject=pwrite64:${fault}`], { out });

const rowTraced: typeof row = canTrace ? row : (id, fault) => rowElsewhere(id, fault, "needs strace");

rowTraced("S16", "migration killed half-way", { inEveryRun: true, timeoutSeconds: 300 }, async (bench) => {
  const { folder, run, launch } = bench;
  const migrate = (path: string, through: string[]) =>
    launch({ DATABASE_URL: `file:${path}` }, ["db", "migrate"], through).finished;
  const whole = written(bench, 0, "whole");
  const before = countsOf(whole);
  const log = join(folder, "calls");
  expect((await migrate(whole, traced(log, "delay_exit=0"))).code).toBe(0);
  const after = countsOf(whole);
  const writes = readFileSync(log, "utf8").split("pwrite64(").length - 1;
  expect(writes).toBeGreaterThan(50);
  async function killAt(write: number): Promise<void> {
    const path = written(bench, 0, `killed-at-${write}`);
    const { code } = await migrate(path, traced("/dev/null", `signal=KILL:when=${write}`));
    expect([write, code === 0]).toEqual([write, false]);
    const version = recovered(path);
    expect([1, own]).toContain(version);
    expect(countsOf(path)).toEqual(version === 1 ? before : after);
    expect(read(path, (database) => database.pragma("integrity_check", { simple: true }))).toBe("ok");
    // Whatever was left, the next start completes the migration.
    expect((await run(["db", "migrate"], { DATABASE_URL: `file:${path}` })).code).toBe(0);
    expect([countsOf(path), digestsOf(path)]).toEqual([after, digestsOf(whole)]);
  }
  // One write of three (quick run: one of forty), two processes at a time. The last few counted may belong to another thread.
  const step = isQuick ? 40 : 3;
  for (let write = 1; write < writes - 10; write += 2 * step)
    await Promise.all([write, write + step].filter((one) => one < writes - 10).map(killAt));
});

/** Copies the built program, lets `change` edit its migrations, and returns the command that starts the copy (`through`). */
function programWith({ folder }: Bench, name: string, change: (migrations: string) => void): string[] {
  const program = join(folder, name);
  for (const part of ["dist", "migrations", "package.json"]) cpSync(part, join(program, part), { recursive: true });
  symlinkSync(resolve("node_modules"), join(program, "node_modules"));
  change(join(program, "migrations"));
  return ["sh", "-c", `shift 2; exec "${process.execPath}" "${join(program, "dist/main.js")}" "$@"`, "sh"];
}

interface Journal {
  entries: { idx: number; when: number; tag: string; version: string; breakpoints: boolean }[];
}

/** Adds a migration after the others, or at index `at`. */
function addMigration(migrations: string, statements: readonly string[], at?: number): void {
  const file = join(migrations, "meta/_journal.json");
  const journal = JSON.parse(readFileSync(file, "utf8")) as Journal;
  const place = at ?? journal.entries.length;
  const when = (journal.entries[place - 1]?.when ?? 0) + 1;
  journal.entries.splice(place, 0, { idx: 99, when, tag: "0099_added", version: "6", breakpoints: true });
  writeFileSync(join(migrations, "0099_added.sql"), statements.join("\n--> statement-breakpoint\n"));
  writeFileSync(file, JSON.stringify(journal));
}

/** Rebuilds a table with foreign keys to it, like drizzle-kit. */
const rebuild = ([table = "", ...indexes]: readonly string[], keep: string): string[] => [
  "PRAGMA foreign_keys=OFF;",
  table.replace("`run`", "`__new_run`"),
  `INSERT INTO __new_run SELECT * FROM run WHERE ${keep};`,
  "DROP TABLE run;",
  "ALTER TABLE __new_run RENAME TO run;",
  "PRAGMA foreign_keys=ON;",
  ...indexes,
];

const newerNow = "the database is one of the program with the migration";
row(
  "S17",
  "table-rebuild migration with children",
  { inEveryRun: true, timeoutSeconds: 60, notChecked: { invariants: newerNow } },
  async (bench) => {
    const { path, run, rows, launch } = bench;
    expect((await run(["collect", "spot-assets", "positions"])).code).toBe(0);
    const definition = rows(
      "select sql from sqlite_master where tbl_name = 'run' and sql is not null and type in ('table', 'index') order by type = 'index'",
    ).map(({ sql }) => String(sql));
    const before = countsOf(path);
    expect(Number(before.snapshot)).toBeGreaterThan(1);
    const losing = programWith(bench, "losing", (migrations) => addMigration(migrations, rebuild(definition, "0")));
    const lost = await launch({}, ["start"], losing).finished;
    expect([lost.code, lost.stderr]).toEqual([70, expect.stringMatching(/migration (loses|leaves)/)]);
    expect(countsOf(path)).toEqual(before);
    const keeping = programWith(bench, "keeping", (migrations) => addMigration(migrations, rebuild(definition, "1")));
    const kept = await launch({}, ["db", "migrate"], keeping).finished;
    expect([kept.code, kept.stdout]).toEqual([0, expect.stringContaining("1 migration applied, after a backup")]);
    expect(countsOf(path)).toEqual(before);
    expect((await launch({}, ["db", "verify"], keeping).finished).stdout).toContain("OK, unaltered");
  },
);

row("S18", "migration edited after release; older-timestamp migration added", { timeoutSeconds: 60 }, async (bench) => {
  const { path, run, launch } = bench;
  expect((await run(["collect", "spot-assets"])).code).toBe(0);
  const before = countsOf(path);
  const edited = programWith(bench, "edited", (migrations) => {
    const [first = ""] = readdirSync(migrations).filter((name) => name.endsWith(".sql"));
    writeFileSync(join(migrations, first), `${readFileSync(join(migrations, first), "utf8")}\n-- edited`);
  });
  const merged = programWith(bench, "merged", (migrations) => addMigration(migrations, ["create table t (a);"], 1));
  const replaced = programWith(bench, "replaced", (migrations) => {
    addMigration(migrations, ["create table t (a);"], 1);
    const file = join(migrations, "meta/_journal.json");
    const journal = JSON.parse(readFileSync(file, "utf8")) as Journal;
    writeFileSync(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, own) }));
  });
  for (const program of [edited, merged, replaced]) {
    const { code, stderr } = await launch({}, ["start"], program).finished;
    expect([code, stderr]).toEqual([
      78,
      expect.stringContaining("another history of schema changes than this program"),
    ]);
  }
  expect(countsOf(path)).toEqual(before);
});
