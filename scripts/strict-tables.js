// Adds STRICT and WITHOUT ROWID, which drizzle-kit cannot express, to newly generated migrations: every table is strict, and a table with
// a primary key of several columns, or of text, is stored in its order. Applied migrations never change.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const folder = new URL("../migrations/", import.meta.url);
const table = /^(CREATE TABLE [^;]*?\n\));$/gm;

for (const name of readdirSync(folder).filter((name) => name.endsWith(".sql"))) {
  const file = new URL(name, folder);
  const before = readFileSync(file, "utf8");
  const after = before.replace(table, (_, statement) =>
    /^\tPRIMARY KEY\(|text PRIMARY KEY/m.test(statement)
      ? `${statement} STRICT, WITHOUT ROWID;`
      : `${statement} STRICT;`,
  );
  if (after !== before) writeFileSync(file, after);
}
