/** What the console takes for a question: one statement that reads, and reaches for nothing but this database. */
import type { Cell } from "../../core/domain.ts";
import { QueryError } from "../../core/errors.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { rewriteCollation } from "./collation.ts";
import { tokensOf } from "./tokens.ts";

export interface Query {
  columns: string[];
  /** Rows as they are read; nothing is kept. */
  rows(): IterableIterator<Cell[]>;
}

/**
 * Prepares a statement on a read-only connection with the decimal functions.
 * @throws QueryError where it is not one SELECT, VALUES or EXPLAIN of those.
 */
export function prepareQuery(sqlite: Sqlite, sql: string): Query {
  // Before SQLite sees it: some PRAGMAs act while they are prepared.
  refuseOthers(sql);
  try {
    const statement = sqlite.prepare<[], Cell[]>(rewriteCollation(sql));
    if (!statement.reader || !statement.readonly)
      throw new QueryError("this statement would write; only reading is possible");
    statement.raw().safeIntegers();
    return { columns: statement.columns().map(({ name }) => name), rows: () => statement.iterate() };
  } catch (error) {
    throw asQueryError(error);
  }
}

function refuseOthers(sql: string): void {
  const words = tokensOf(sql).map(({ word }) => word);
  if (words.length === 0) throw new QueryError("there is no statement");
  const first = words[0] !== "EXPLAIN" ? 0 : words[1] === "QUERY" ? 3 : 1;
  if (!["SELECT", "WITH", "VALUES"].includes(words[first] ?? ""))
    throw new QueryError("only SELECT, WITH … SELECT, VALUES and EXPLAIN of those are answered; nothing here writes");
}

/** SQLite's own words, which say best what is wrong with a statement. */
export const asQueryError = (error: unknown): QueryError =>
  error instanceof QueryError ? error : new QueryError(error instanceof Error ? error.message : String(error));
