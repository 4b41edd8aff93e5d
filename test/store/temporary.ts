/** Creates files, stores and processes for a test, and closes, kills and removes them afterwards. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";
import type { SqliteStore } from "../../src/store/open.ts";
import { temporaryFolder } from "../support/files.ts";
import { createAt, storeAt } from "./kit.ts";

/** Returns the path of a database in a new folder. */
export const temporaryPath = (): string => join(temporaryFolder(), "collector.db");

/** Copies a database that was written with the migrations up to this one, such as "0000". Returns its path. */
export function older(migration: string): string {
  const path = temporaryPath();
  new Database(path).exec(readFileSync(`test/fixtures/database/${migration}.sql`, "utf8")).close();
  return path;
}

export const open = (path: string): Promise<SqliteStore> => untilFinished(storeAt(path));

/** As `open`, where creating the database is what is tested. */
export const create = (path: string): Promise<SqliteStore> => untilFinished(createAt(path));

async function untilFinished(opening: Promise<SqliteStore>): Promise<SqliteStore> {
  const store = await opening;
  onTestFinished(() => store.close());
  return store;
}

/** Starts a program of test/store/children on a database, with further arguments. */
export function child(name: string, path: string, ...words: string[]) {
  const file = join(import.meta.dirname, "children", `${name}.ts`);
  const started = spawn(process.execPath, ["--import", "tsx", file, path, ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void started.kill("SIGKILL"));
  return started;
}
