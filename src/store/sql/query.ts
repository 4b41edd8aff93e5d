/** Accepts one statement that only reads, and only from this database. */
import type { Cell } from "../../core/domain.ts";
import { QueryError } from "../../core/errors.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { rewriteCollation } from "./collation.ts";
import { tokensOf } from "./tokens.ts";

/** A prepared query. */
export interface Query {
  columns: string[];
  /** Yields rows as they are read, without buffering. */
  rows(): IterableIterator<Cell[]>;
}

/**
 * Prepares a statement on a read-only connection with the decimal functions.
 * @throws QueryError where it is not exactly one SELECT, VALUES or EXPLAIN of one
 */
export function prepareQuery(sqlite: Sqlite, sql: string): Query {
  // Checked before SQLite parses it, because some PRAGMAs take effect while they are prepared.
  requireSelect(sql);
  try {
    const statement = sqlite.prepare<[], Cell[]>(rewriteCollation(sql));
    if (!statement.reader || !statement.readonly)
      throw new QueryError("the statement would write; only statements that read are allowed");
    statement.raw().safeIntegers();
    return { columns: statement.columns().map(({ name }) => name), rows: () => statement.iterate() };
  } catch (error) {
    throw asQueryError(error);
  }
}

function requireSelect(sql: string): void {
  const words = tokensOf(sql).map(({ word }) => word);
  if (words.length === 0) throw new QueryError("the statement is empty");
  const first = words[0] !== "EXPLAIN" ? 0 : words[1] === "QUERY" ? 3 : 1;
  if (!["SELECT", "WITH", "VALUES"].includes(words[first] ?? ""))
    throw new QueryError("only SELECT, WITH … SELECT, VALUES and EXPLAIN of these are allowed");
}

/** Returns a QueryError with the message of SQLite, which describes errors in a statement best, and where the names are listed. */
export function asQueryError(error: unknown): QueryError {
  if (error instanceof QueryError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const isName = /^no such (table|column)/.test(message);
  return new QueryError(
    isName ? `${message}; docs/reference/data-dictionary.md lists the views and their columns` : message,
  );
}
