/** Builds the views in PostgreSQL: the same as in SQLite, and typed ones for Grafana and other tools. */
import { hash } from "node:crypto";
import type { AnyDataset } from "../../datasets/incremental.ts";
import type { StorageLayout } from "../schema/storage-layout.ts";
import type { Source, ViewDialect } from "../schema/view-dialect.ts";
import { viewsOf } from "../schema/views.ts";

/** Returns joins as `asOfJoins` describes; the newest row at or before a snapshot is one lookup in the primary key. */
function asOfJoins({ prefix, moving }: StorageLayout): string {
  const join = (kind: string, part: string, alias: string) =>
    `${kind} lateral (select * from ${prefix}_${part} where item_id = i.id and since <= n.id
    order by since desc limit 1) ${alias} on true`;
  return [
    `join ${prefix}_item i on i.scope_id = n.scope_id`,
    join("join", "steady", "s"),
    ...(moving.length > 0 ? [join("left join", "moving", "m")] : []),
    join("left join", "extra", "x"),
  ].join("\n  ");
}

/** Returns the digits as they were sent. The table of odd ones is searched only where it has any of the column. */
function digits({ alias, table, key }: Source, column: string): string {
  const cell = `${alias}.${column}`;
  const odd = `from odd_digits o where o.table_name = '${table}' and o.column_name = '${column}'`;
  const rowKey = key.map((name) => `${alias}.${name}`).join(" || ' ' || ");
  return `case when exists (select ${odd}) then
    coalesce((select o.digits ${odd} and o.row_key = ${rowKey}), ${cell}::text) else ${cell}::text end`;
}

const textDialect: ViewDialect = {
  amount: digits,
  id: (expression) => expression,
  instant: (expression) => `instant_text(${expression})`,
  receivedInstant: (expression) => `instant_text(${expression})`,
  day: (expression) => `to_char(instant(${expression}), 'YYYY-MM-DD')`,
  hex: (expression) => `encode(${expression}, 'hex')`,
  asOfJoins,
  amountType: "text",
};

const typedInstant = (expression: string): string => `instant(${expression}) at time zone 'UTC'`;

/** Amounts as `numeric`, times as `timestamptz`, days as `date`. */
const typedDialect: ViewDialect = {
  ...textDialect,
  amountType: "numeric",
  amount: ({ alias }, column) => `${alias}.${column}`,
  instant: typedInstant,
  receivedInstant: typedInstant,
  day: (expression) => `instant(${expression})::date`,
};

/** Returns the names of the views, which both databases have. */
export const sharedViews = (datasets: readonly AnyDataset[]): string[] => [...viewsOf(datasets, textDialect).keys()];

/** Returns the name of the schema with the typed views of a history. */
export const typedSchema = (schema: string): string => `${schema}_typed`;

/** The statements that replace all views, and a hash of them. */
export interface ViewScript {
  statements: string[];
  hash: string;
}

/** Returns the statements that replace the views of a schema and of its typed schema. */
export function viewScript(schema: string, datasets: readonly AnyDataset[]): ViewScript {
  const typed = typedSchema(schema);
  const views = [...viewsOf(datasets, textDialect)];
  const create = (into: string, [name, text]: readonly [string, string]) =>
    text.replace(/^CREATE VIEW \S+/, `create view ${into}.${name}`);
  const statements = [
    ...[typed, schema].flatMap((of) => views.toReversed().map(([name]) => `drop view if exists ${of}.${name}`)),
    ...views.map((view) => create(schema, view)),
    // A typed view that reads another view reads a typed one.
    `set local search_path to ${typed}, ${schema}, pg_temp`,
    ...[...viewsOf(datasets, typedDialect)].map((view) => create(typed, view)),
    `set local search_path to ${schema}, pg_temp`,
  ];
  return { statements, hash: hash("sha256", statements.join(";\n")) };
}
