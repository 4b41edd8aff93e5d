/** Compares what `sqlite3` shows of every view of a simulated fortnight with what this program shows. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { datasets } from "../../../src/datasets/index.ts";
import { viewsOf } from "../../../src/store/schema/views.ts";
import { addDecimalFunctions } from "../../../src/store/sql/decimal-functions.ts";
import { simulateFortnight } from "../../support/fortnight.ts";
import { inProgram, inShell, shell } from "../../support/sqlite-shell.ts";

describe.skipIf(!shell)(`sqlite3 ${shell}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "collector-views-"));
  const path = join(folder, "collector.db");
  let database: Database.Database;

  beforeAll(async () => {
    await simulateFortnight(path);
    database = new Database(path, { readonly: true });
    addDecimalFunctions(database);
  });

  afterAll(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });

  it.each([...viewsOf(datasets).keys()])("reads %s like this program", (view) => {
    // A result without rows has no header in the shell.
    const sorted = (text: string) => text.split("\n").slice(1).sort();
    const sql = `select * from ${view}`;
    expect(sorted(inShell(sql, path) || "\n")).toEqual(sorted(inProgram(sql, database)));
  });
});
