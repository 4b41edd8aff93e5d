/** What the history says: over a span, where it changed, and at one instant. */
import { freshUntil, parsePattern } from "../../core/cron.ts";
import type { Cell } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { layoutOf } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { type Filter, historyColumns, walk } from "./scan.ts";

export type { Filter } from "./scan.ts";

/** Epoch ms, from `from` on and before `to`; `newest` rows at most. */
export interface Span {
  from: number;
  to: number;
  newest: number;
}

export interface Selected {
  columns: string[];
  rows: IterableIterator<Cell[]>;
}

/** What is known of one scope at an instant. Milliseconds; `ageMs` is null before the first good snapshot. */
export interface ScopeAsOf {
  account: string;
  productType: string | null;
  takenAt: number | null;
  ageMs: number | null;
  /** From the slot of that snapshot to the second one after it by the schedule then in force; null without schedule or snapshot. */
  longestMs: number | null;
  /** False where the last good snapshot is none or too old to speak for the instant; there are no rows then. */
  known: boolean;
}

export interface AsOf {
  columns: string[];
  scopes: ScopeAsOf[];
  rows: Cell[][];
}

const viewOf = (dataset: Dataset): string => `${layoutOf(dataset).prefix}_history`;

const conditions = (filter: Filter): string =>
  Object.keys(filter)
    .map((name) => ` and ${name} = ?`)
    .join("");

/** Rows of the history view, or only those that differ from the one before of the same item; the newest last. */
export function selectSpan(sqlite: Sqlite, dataset: Dataset, filter: Filter, span: Span, changes: boolean): Selected {
  function* rows(from: number, to: number): Generator<Cell[], void> {
    const cell = (cell: Cell) => cell;
    for (const some of walk(sqlite, dataset, { from, to, filter, order: "taken", changes, cell })) yield* some;
  }
  return {
    columns: historyColumns(sqlite, dataset),
    rows: span.newest === Number.POSITIVE_INFINITY ? rows(span.from, span.to) : newestRows(sqlite, span, rows),
  };
}

/** Looks back from the end, further each time, until there are enough. */
function* newestRows(sqlite: Sqlite, span: Span, rowsOf: (from: number, to: number) => Iterable<Cell[]>) {
  const taken = sqlite.prepare("select min(taken_at), max(taken_at) from snapshot").raw();
  const [first, last] = taken.get() as [number | null, number | null];
  const from = Math.max(span.from, first ?? 0);
  let found: Cell[][] = [];
  let to = Math.min(span.to, (last ?? 0) + 1);
  for (let stretch = shortestStretch; found.length < span.newest && to > from; stretch *= 2) {
    const before = Math.max(from, to - stretch);
    found = [...rowsOf(before, to), ...found];
    to = before;
  }
  yield* found.slice(-span.newest);
}

/** A minute, in milliseconds. */
const shortestStretch = 60_000;

/** Prepares the question of what a dataset held at an instant; a few steps down an index for each scope and item. */
export function createAsOf(sqlite: Sqlite, dataset: Dataset, filter: Filter): (instant: number) => AsOf {
  const { account, product_type, ...ofRows } = filter;
  // A scope that is asked no more has nothing to say about a later instant.
  const scopes = sqlite.prepare<
    unknown[],
    { id: number; seriesId: number; account: string; productType: string | null }
  >(
    `select p.id, p.series_id as seriesId, a.name as account, nullif(p.product_type, '') as productType
     from series e join account a on a.id = e.account_id join scope p on p.series_id = e.id
     where e.dataset = @dataset and (p.until is null or p.until > @instant)
       and (@account is null or a.name = @account) and (@productType is null or p.product_type = @productType)
     order by a.id, p.id`,
  );
  const lastGood = sqlite.prepare<[number, number], { id: number; takenAt: number; slot: number }>(
    `select n.id, n.taken_at as takenAt, r.slot from snapshot n join run r on r.id = n.run_id
     where n.scope_id = ? and n.taken_at <= ? and n.error_code is null
     order by n.taken_at desc, n.error_code desc, n.id desc limit 1`,
  );
  const inForce = sqlite
    .prepare<[number, number, number], string>(
      "select pattern from schedule where series_id = ? and since <= ? and coalesce(until, 9e15) > ? order by since desc limit 1",
    )
    .pluck();
  const rowsOf = sqlite.prepare<unknown[], Cell[]>(
    `select * from ${viewOf(dataset)} where snapshot_id = ?${conditions(ofRows)}`,
  );
  const columns = namesOf(rowsOf);
  rowsOf.raw().safeIntegers();

  const stateAt = (instant: number): AsOf => {
    const rows: Cell[][] = [];
    const asked = scopes.all({
      dataset: dataset.name,
      instant,
      account: account ?? null,
      productType: product_type ?? null,
    });
    const found = asked.map(({ id, seriesId, account, productType }): ScopeAsOf => {
      const last = lastGood.get(id, instant);
      const pattern = inForce.get(seriesId, instant, instant);
      const longestMs = last && pattern ? freshUntil(parsePattern(pattern), last.slot) - last.slot : null;
      const ageMs = last ? instant - last.takenAt : null;
      const known = last !== undefined && (longestMs === null || instant <= last.slot + longestMs);
      if (last && known) rows.push(...rowsOf.all(last.id, ...Object.values(ofRows)));
      return { account, productType, takenAt: last?.takenAt ?? null, ageMs, longestMs, known };
    });
    return { columns, scopes: found, rows };
  };
  // In one transaction: a snapshot that is pruned meanwhile would be known and have no rows.
  return sqlite.transaction(stateAt);
}

const namesOf = (statement: { columns(): { name: string }[] }): string[] => statement.columns().map(({ name }) => name);

/** Whether rows of this dataset can be chosen by the column. */
export const hasColumn = (sqlite: Sqlite, dataset: Dataset, column: string): boolean =>
  sqlite.prepare("select 1 from pragma_table_info(?) where name = ?").get(viewOf(dataset), column) !== undefined;
