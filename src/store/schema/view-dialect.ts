/** Defines what the views need of a database: the same query becomes a view of SQLite, or of PostgreSQL. */
import type { Column } from "../../core/columns.ts";
import { asOfJoins } from "./as-of-sql.ts";
import { digitsSql, idSql, instantSql, receivedInstantSql } from "./encoding.ts";
import type { StorageLayout } from "./storage-layout.ts";

/** A table in a query: its alias, its name and the columns of its primary key. */
export interface Source {
  alias: string;
  table: string;
  key: readonly string[];
}

/** Builds the expressions that differ between databases; NULL stays NULL in all of them. */
export interface ViewDialect {
  /** Returns the amount in a column of a source. */
  amount(source: Source, column: string): string;
  /** Returns an id of the exchange as text. */
  id(expression: string): string;
  /** Returns a time given in epoch ms, in the years 0 to 9999. */
  instant(expression: string): string;
  /** Returns a time of the exchange given in epoch ms, in any year. */
  receivedInstant(expression: string): string;
  /** Returns a day given as the epoch ms of its midnight in UTC. */
  day(expression: string): string;
  /** Returns bytes as lower-case hex. */
  hex(expression: string): string;
  /** Returns the joins that `asOfJoins` describes. */
  asOfJoins(layout: StorageLayout): string;
  /** The SQL type of an amount. */
  amountType: "text" | "numeric";
}

export const sqliteDialect: ViewDialect = {
  amount: ({ alias }, column) => digitsSql(`${alias}.${column}`),
  id: idSql,
  instant: instantSql,
  receivedInstant: receivedInstantSql,
  day: (expression) => `date(${expression} / 1000, 'unixepoch')`,
  hex: (expression) => `lower(hex(${expression}))`,
  asOfJoins,
  amountType: "text",
};

/** Returns an SQL expression that makes a stored column human-readable. */
export function readableSql(dialect: ViewDialect, { kind, isId }: Column, source: Source, stored: string): string {
  if (kind === "decimal") return dialect.amount(source, stored);
  const expression = `${source.alias}.${stored}`;
  if (isId) return dialect.id(expression);
  return kind === "millis" ? dialect.receivedInstant(expression) : expression;
}
