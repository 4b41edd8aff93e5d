/** Describes how the store sees a snapshot dataset: its tables, and its columns in the order in which rows are compared and read. */
import { parse, stringify } from "lossless-json";
import { type Column, snakeCase } from "../../core/columns.ts";
import type { Extra, Item, Row, Value } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { itemLine } from "./digest.ts";
import { checkedCell } from "./encoding.ts";
import { movingColumns, prefixOf, steadyColumns, tablesOf } from "./tables.ts";

/** The tables and columns of a snapshot dataset; the parts are described in tables.ts. */
export interface StorageLayout {
  dataset: Dataset;
  /** The prefix of its tables and views: `spot_assets`. */
  prefix: string;
  tables: ReturnType<typeof tablesOf>;
  key: readonly string[];
  steady: readonly string[];
  moving: readonly string[];
  /** The columns that were added later, sorted by name; in their part they come last. */
  later: readonly LaterColumn[];
}

interface LaterColumn {
  name: string;
  part: "steady" | "moving";
  at: number;
}

/** A stored item: the values of each part in the order of the layout. */
export interface ItemParts {
  key: Value[];
  steady: Value[];
  moving: Value[];
  /** Unknown fields as JSON text, names in alphabetical order. */
  extra: string | null;
}

const layouts = new WeakMap<Dataset, StorageLayout>();

/** Returns the layout of a dataset, which is computed once. */
export function layoutOf(dataset: Dataset): StorageLayout {
  const known = layouts.get(dataset);
  if (known) return known;
  const steady = steadyColumns(dataset);
  const moving = movingColumns(dataset);
  const layout: StorageLayout = {
    dataset,
    prefix: prefixOf(dataset),
    tables: tablesOf(dataset),
    key: dataset.key,
    steady,
    moving,
    later: [...laterColumns(dataset, "steady", steady), ...laterColumns(dataset, "moving", moving)].sort(byName),
  };
  layouts.set(dataset, layout);
  return layout;
}

function laterColumns({ columns }: Dataset, part: LaterColumn["part"], names: readonly string[]): LaterColumn[] {
  return [...names.entries()]
    .filter(([, name]) => columns[name]?.isAddedLater)
    .map(([at, name]) => ({ name, part, at }));
}

const byName = (one: LaterColumn, other: LaterColumn): number => (one.name < other.name ? -1 : 1);

/** Returns the column of that name. Throws an Error where there is none. */
export function columnOf(layout: StorageLayout, name: string): Column {
  const column = layout.dataset.columns[name];
  if (!column) throw new Error(`${layout.dataset.name} has no column ${name}`);
  return column;
}

/** Returns stored columns as SQL expressions: `s.available`, `s.frozen`. */
export const selection = (alias: string, names: readonly string[]): string[] =>
  names.map((name) => `${alias}.${snakeCase(name)}`);

/** Returns a text that identifies an item within its scope. */
export const keyText = (key: readonly Value[]): string => JSON.stringify(key);

/**
 * Returns the items of a response by the text of their key; exact duplicates count once. Throws a RangeError naming the item
 * where two items of one key differ or a value cannot be stored unchanged.
 */
export function partsByKey(layout: StorageLayout, items: readonly Item[]): Map<string, ItemParts> {
  const found = new Map<string, ItemParts>();
  for (const item of items) {
    const parts = partsOf(layout, item);
    const key = keyText(parts.key);
    const duplicate = found.get(key);
    if (duplicate && JSON.stringify(duplicate) !== JSON.stringify(parts))
      throw new RangeError(`${key}: two different rows`);
    found.set(key, parts);
  }
  return found;
}

function partsOf(layout: StorageLayout, { row, extra }: Item): ItemParts {
  const cells = (names: readonly string[]) =>
    names.map((name) => {
      try {
        return checkedCell(columnOf(layout, name), row[name]);
      } catch (error) {
        const key = layout.key.map((name) => row[name] ?? null);
        throw new RangeError(`${keyText(key)}: ${name}: ${(error as Error).message}`);
      }
    });
  return {
    key: cells(layout.key),
    steady: cells(layout.steady),
    moving: cells(layout.moving),
    extra: extraText(extra),
  };
}

/** Returns unknown fields as JSON text, names in alphabetical order; null where there are none. */
export function extraText(extra: Extra): string | null {
  const names = Object.keys(extra ?? {}).sort();
  if (names.length === 0) return null;
  const json = stringify(Object.fromEntries(names.map((name) => [name, extra?.[name]])));
  return json === undefined ? null : Buffer.from(json).toString();
}

/** Returns the unknown fields of a stored JSON text; null for null. Throws a RangeError where the text is not one that `extraText` returns. */
export function parseExtra(text: string | null): Extra {
  if (text === null) return null;
  const extra = parsed(text);
  if (extraText(extra) !== text) throw new RangeError("is not a JSON object as it was stored");
  return extra;
}

function parsed(text: string): Extra {
  try {
    return parse(text) as Extra;
  } catch {
    return null;
  }
}

/** Returns the canonical line of an item, for the digest of its snapshot. */
export function itemDigestLine({ steady, moving, later }: StorageLayout, present: 0 | 1, parts: ItemParts): string {
  const original = (part: LaterColumn["part"], names: readonly string[]) =>
    parts[part].slice(0, names.length - later.filter((column) => column.part === part).length);
  return itemLine(
    present,
    [...parts.key, ...original("steady", steady), ...original("moving", moving)],
    parts.extra,
    later.map(({ name, part, at }) => [snakeCase(name), parts[part][at] ?? null]),
  );
}

/** Returns the last row of an item that the response no longer lists: zeros or unknown values, as the dataset declares. */
export function removedParts(layout: StorageLayout, last: ItemParts): ItemParts {
  const end = (names: readonly string[], values: readonly Value[]) =>
    values.map((value, at) => {
      const isAmount = columnOf(layout, names[at] ?? "").kind === "decimal";
      return layout.dataset.onRemoval === "zeroRow" && isAmount && value !== null ? "0" : null;
    });
  return {
    key: last.key,
    steady: end(layout.steady, last.steady),
    moving: end(layout.moving, last.moving),
    extra: null,
  };
}

/** Returns a stored item as the row that its mapper made. */
export function rowOf(layout: StorageLayout, { key, steady, moving }: ItemParts): Row {
  const names = [...layout.key, ...layout.steady, ...layout.moving];
  const values = [...key, ...steady, ...moving];
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? null]));
}

/** The state of one item as of the last good snapshot. `since` is the snapshot that wrote its steady row. */
export interface CurrentItem {
  id: number;
  since: number;
  present: 0 | 1;
  parts: ItemParts;
}

/** The items of one scope by the text of their key, including removed ones. */
export type ScopeState = Map<string, CurrentItem>;

/** Returns a stored item; `values` are the columns of its rows in force: key, steady and moving ones. */
export function currentItem(
  layout: StorageLayout,
  { id, since, present, extra }: Pick<CurrentItem, "id" | "since" | "present"> & Pick<ItemParts, "extra">,
  values: readonly Value[],
): CurrentItem {
  const { key, steady, moving } = layout;
  const parts: ItemParts = {
    key: values.slice(0, key.length),
    steady: values.slice(key.length, key.length + steady.length),
    moving: values.slice(key.length + steady.length, key.length + steady.length + moving.length),
    extra,
  };
  const ended = present === 0 && layout.dataset.onRemoval === "end";
  return { id, since, present, parts: ended ? removedParts(layout, parts) : parts };
}

/** Returns the rows that the history view shows for a snapshot. `state` is as of that snapshot. */
export const shownRows = (layout: StorageLayout, state: ScopeState, snapshotId: number): Row[] =>
  [...state.values()]
    .filter(({ present, since }) => present === 1 || (layout.dataset.onRemoval === "zeroRow" && since === snapshotId))
    .map(({ parts }) => rowOf(layout, parts));
