import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/core/errors.ts";
import { openReadOnly, openWriter } from "../../../src/store/sqlite/database.ts";
import { change, query } from "../kit.ts";
import { create as open, temporaryPath } from "../temporary.ts";

const refusals: [what: string, make: (path: string) => Promise<void> | void, message: RegExp][] = [
  ["an empty file", (path) => writeFileSync(path, ""), /exists but is empty\. Restore a backup/],
  ["a directory", (path) => void mkdirSync(path), /is not a file/],
  ["a text file", (path) => writeFileSync(path, "coin,available\r\n".repeat(50)), /is not an SQLite database/],
  [
    "another program's database",
    (path) => new Database(path).exec("create table t (a)").close() as never,
    /of another program/,
  ],
  [
    "a newer database",
    async (path) => {
      (await open(path)).close();
      change(path, "insert into migration (hash, applied_at) values ('later', 0)");
    },
    /newer than this program\. Update/,
  ],
  [
    "a migration that was changed after it was applied",
    async (path) => {
      (await open(path)).close();
      change(path, "update migration set hash = 'other'");
    },
    /another history of schema changes/,
  ],
  [
    "half a database",
    async (path) => {
      (await open(path)).close();
      truncateSync(path, statSync(path).size / 2);
    },
    /is damaged/,
  ],
];

describe("opening", () => {
  it.each(refusals)("%s is refused by name, and not changed", async (_, make, message) => {
    const path = temporaryPath();
    await make(path);
    const before = statSync(path).isFile() ? readFileSync(path) : null;
    const error = await open(path).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toMatch(message);
    expect(String(error)).toContain(path);
    if (before) expect(readFileSync(path).equals(before)).toBe(true);
  });

  it.each(["", "  ", ":memory:"])("a blank path is refused: %j", async (path) => {
    await expect(open(path)).rejects.toThrow(/DATABASE_URL/);
  });

  it("a new database is accessible to its owner only, complete, and leaves no draft", async () => {
    const path = temporaryPath();
    await open(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(path)).filter((name) => name.includes("part"))).toEqual([]);
  });

  it("commits are synchronous at every opening, not only at the first", async () => {
    const path = temporaryPath();
    (await open(path)).close();
    const sqlite = openWriter(path);
    const settings = ["journal_mode", "synchronous", "foreign_keys"].map((name) =>
      sqlite.pragma(name, { simple: true }),
    );
    sqlite.close();
    expect(settings).toEqual(["wal", 2, 1]);
  });

  it("every table is strict, and every table of versions is stored in the order of its key", async () => {
    const path = temporaryPath();
    await open(path);
    const loose =
      "select name from pragma_table_list where schema = 'main' and type = 'table' and name not like 'sqlite_%'";
    expect(query(path, `${loose} and not strict`)).toEqual([]);
    expect(query(path, `${loose} and not wr and (name like '%_steady' or name like '%_moving')`)).toEqual([]);
  });

  it("a reader cannot write, and creates no missing database", async () => {
    const path = temporaryPath();
    expect(() => openReadOnly(path)).toThrow(/does not exist/);
    expect(existsSync(path)).toBe(false);
    await open(path);
    const reader = openReadOnly(path);
    expect(() => reader.exec("delete from run")).toThrow(/readonly/);
    reader.close();
  });
});
