/**
 * Defines how records of incremental datasets are stored: an append-only table per dataset, unique by the exchange's id, and one table
 * with the read position of each run. The digest of a snapshot covers the records that came with it and the read position.
 */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { type Column, snakeCase } from "../../core/columns.ts";
import type { Item, ReadProgress, Value } from "../../core/domain.ts";
import type { IncrementalDataset } from "../../datasets/incremental.ts";
import { itemLine } from "./digest.ts";
import { checkedCell, columnTypeOf, idSql, storedCell } from "./encoding.ts";
import { extraText } from "./storage-layout.ts";
import { columnNames, prefixOf, scope, snapshot } from "./tables.ts";
import { readableSql, sqliteDialect } from "./view-dialect.ts";

/** The read position of a scope at the end of a run; that of the scope's last good snapshot is in force. Event times in epoch ms. */
export const reading = sqliteTable("reading", {
  snapshotId: integer("snapshot_id")
    .primaryKey()
    .references(() => snapshot.id),
  through: integer().notNull(),
  windowFrom: integer("window_from"),
  windowTo: integer("window_to"),
  cursor: text(),
  holeFrom: integer("hole_from"),
  holeTo: integer("hole_to"),
});

/** How the store sees an incremental dataset. */
export interface RecordLayout {
  dataset: IncrementalDataset;
  /** The name of its view and the prefix of its table: `bills`, `bills_record`. */
  prefix: string;
  /** All columns; those that were added later come last. */
  names: readonly string[];
  columns: readonly Column[];
  /** The index of the exchange's id in `names`. */
  idAt: number;
}

const layouts = new WeakMap<IncrementalDataset, RecordLayout>();

/** Returns the layout of a dataset, which is computed once. */
export function recordLayoutOf(dataset: IncrementalDataset): RecordLayout {
  const known = layouts.get(dataset);
  if (known) return known;
  const names = columnNames(dataset);
  const columns = names.flatMap((name) => dataset.columns[name] ?? []);
  const layout = { dataset, prefix: prefixOf(dataset), names, columns, idAt: names.indexOf(dataset.id) };
  layouts.set(dataset, layout);
  return layout;
}

/**
 * Returns the table of one dataset. `version` numbers the different contents that the exchange sent under one id, from 0; `snapshot_id` is
 * the snapshot that the record came with.
 */
export function recordTableOf(dataset: IncrementalDataset) {
  const { prefix, names } = recordLayoutOf(dataset);
  const cells = names.flatMap((name) => {
    const column = dataset.columns[name];
    return column
      ? [[snakeCase(name), name === dataset.id ? columnTypeOf(column).notNull() : columnTypeOf(column)] as const]
      : [];
  });
  return sqliteTable(
    `${prefix}_record`,
    {
      scope_id: integer()
        .notNull()
        .references(() => scope.id),
      ...Object.fromEntries(cells),
      version: integer().notNull(),
      snapshot_id: integer()
        .notNull()
        .references(() => snapshot.id),
      extra: text(),
    },
    (table) => {
      const columns: Record<string, typeof table.scope_id> = table as never;
      const id = columns[snakeCase(dataset.id)] ?? table.scope_id;
      return [
        primaryKey({ columns: [table.scope_id, id, table.version] }),
        index(`${prefix}_record_snapshot`).on(table.scope_id, table.snapshot_id),
      ];
    },
  );
}

/** Returns the SQL names of the stored columns of a record. */
export const storedColumns = ({ names }: RecordLayout): string[] => names.map(snakeCase);

/** Returns SQL expressions that read these columns; amounts as they are stored. */
export const readColumns = (layout: RecordLayout): string[] =>
  storedColumns(layout).map((name, at) => (layout.columns[at]?.isId ? idSql(name) : name));

/** Returns the id of a record as it is stored. */
export const storedId = ({ columns, idAt }: RecordLayout, id: string) => storedCell(columns[idAt] as Column, id);

/** A stored record. */
export interface RecordRow {
  version: number;
  /** In the order of the layout. */
  cells: Value[];
  /** Unknown fields as JSON text. */
  extra: string | null;
}

/** Returns the cells of a record in the order of the layout. Throws a RangeError naming the record where a value cannot be stored unchanged. */
export function cellsOf({ names, columns, dataset }: RecordLayout, { row }: Item): Value[] {
  return columns.map((column, at) => {
    try {
      return checkedCell(column, row[names[at] ?? ""]);
    } catch (error) {
      throw new RangeError(`${row[dataset.id]}: ${names[at]}: ${(error as Error).message}`);
    }
  });
}

/** Returns the unknown fields of a record as JSON text; null where there are none. */
export const extraOf = ({ extra }: Item): string | null => extraText(extra);

/** Returns true where two versions of a record are the same, apart from columns that were added later and unknown fields. */
export const isSameRecord = ({ columns }: RecordLayout, stored: readonly Value[], read: readonly Value[]): boolean =>
  columns.every(({ isAddedLater }, at) => stored[at] === read[at] || (isAddedLater && stored[at] === null));

/** Returns the canonical line of a record, for the digest of its snapshot. */
export function recordLine({ names, columns }: RecordLayout, { version, cells, extra }: RecordRow): string {
  const isLater = (at: number) => columns[at]?.isAddedLater === true;
  const later = names.map((name, at) => [snakeCase(name), cells[at] ?? null] as const);
  return itemLine(
    1,
    [version, ...cells.filter((_, at) => !isLater(at))],
    extra,
    later.filter((_, at) => isLater(at)).sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

/** A row of the table `reading`. */
export interface ReadingRow {
  through: number;
  windowFrom: number | null;
  windowTo: number | null;
  cursor: string | null;
  holeFrom: number | null;
  holeTo: number | null;
}

/** The SQL columns of a `ReadingRow`, with `g` as the alias of the table. */
export const readingColumns =
  'g.through, g.window_from as "windowFrom", g.window_to as "windowTo", g.cursor, g.hole_from as "holeFrom", g.hole_to as "holeTo"';

/** Returns the row that stores a read position. */
export const readingRow = ({ through, window, hole }: ReadProgress): ReadingRow => ({
  through,
  windowFrom: window?.from ?? null,
  windowTo: window?.to ?? null,
  cursor: window?.cursor ?? null,
  holeFrom: hole?.from ?? null,
  holeTo: hole?.to ?? null,
});

/** Returns the read position that a row stores. */
export function readingOf({ through, windowFrom, windowTo, cursor, holeFrom, holeTo }: ReadingRow): ReadProgress {
  return {
    through,
    window: windowFrom === null || windowTo === null ? null : { from: windowFrom, to: windowTo, cursor },
    hole: holeFrom === null || holeTo === null ? null : { from: holeFrom, to: holeTo },
  };
}

/** Returns the canonical line of a read position, for the digest of its snapshot. */
export const readingLine = ({ through, windowFrom, windowTo, cursor, holeFrom, holeTo }: ReadingRow): string =>
  JSON.stringify(["reading", through, windowFrom, windowTo, cursor, holeFrom, holeTo]);

/**
 * Returns the query of the public view: every version of each record, or only the newest one where the state of a record changes. With
 * `byScope`, SQLite reads the records of one scope after another and looks the account up once for each scope.
 */
export function recordQuery(layout: RecordLayout, dialect = sqliteDialect, { byScope = false } = {}): string {
  const { dataset, prefix, names, columns } = layout;
  const stored = storedColumns(layout);
  const id = stored[layout.idAt] ?? "";
  const source = { alias: "r", table: `${prefix}_record`, key: ["scope_id", id, "version"] };
  const readable = (name: string): string => {
    const at = names.indexOf(name);
    return readableSql(dialect, columns[at] as Column, source, stored[at] ?? "");
  };
  // Without a row of its own an entry changed the balance by its amount.
  const change = dataset.isLedger
    ? `case when c.bills_through >= r.snapshot_id then
    case when b.scope_id is null then ${readable("amount")} else ${dialect.amount(steps, "change")} end end`
    : "null";
  const declared = names.map((name) => {
    const computed = dataset.computed?.[name];
    return [
      `${readable(name)} as ${snakeCase(name)}`,
      ...(computed ? [`${computed.sql(readable, change)} as ${computed.name}`] : []),
    ];
  });
  const published = names.indexOf(dataset.stableThrough) + 1;
  const newest = `not exists (select 1 from ${prefix}_record l
  where l.scope_id = r.scope_id and l.${id} = r.${id} and l.version > r.version)`;
  // The columns up to `run_id` and their order are a promise.
  return `select
  ${[
    ...(dataset.public ? [] : ["a.name as account"]),
    ...(dataset.scopeColumn ? [`${scopeSql[dataset.scopeColumn]} as ${dataset.scopeColumn}`] : []),
    ...declared.slice(0, published).flat(),
    `${dialect.instant("n.taken_at")} as first_seen_at`,
    "n.run_id as run_id",
    ...declared.slice(published).flat(),
    "r.version as version",
    "nullif(p.product_type, '') as category",
    "r.snapshot_id as snapshot_id",
    "r.extra as extra",
    `r.${snakeCase(dataset.at)} as at_ms`,
    ...(dataset.isLedger ? ["b.booked_at as booked_at_ms", "b.position as position"] : []),
  ].join(",\n  ")}
from ${(byScope ? fromScopes : fromRecords)(`${prefix}_record`)}
  join snapshot n on n.id = r.snapshot_id${dataset.isLedger ? reconciledJoins : ""}
where ${dataset.changes ? newest : "true"}`;
}

const fromRecords = (table: string): string => `${table} r
  join scope p on p.id = r.scope_id
  join series e on e.id = p.series_id
  join account a on a.id = e.account_id`;

/** SQLite keeps the order of a cross join. */
const fromScopes = (table: string): string => `account a
  cross join series e on e.account_id = a.id
  cross join scope p on p.series_id = e.id
  cross join ${table} r on r.scope_id = p.id`;

/** The wallet of a scope `p`: categories of the unified wallet are one wallet, and so are the pairs of isolated margin. */
export const walletSql =
  "case when p.product_type like 'unified/%' then 'unified' when p.product_type like 'margin-isolated/%' then 'margin-isolated' else p.product_type end";

/** The wallet of a scope `p` as it is reconciled: each pair of isolated margin has balances of its own. */
export const reconciledWalletSql = "case when p.product_type like 'unified/%' then 'unified' else p.product_type end";

const steps = { alias: "b", table: "bill_step", key: ["scope_id", "bill_id"] };

const reconciledJoins = `
  left join ledger_chain c on c.account_id = e.account_id and c.coin = upper(r.coin) and c.wallet = ${reconciledWalletSql}
  left join bill_step b on b.scope_id = r.scope_id and b.bill_id = ${idSql("r.bill_id")}`;

const scopeSql = {
  wallet: walletSql,
  product_type: "p.product_type",
};
