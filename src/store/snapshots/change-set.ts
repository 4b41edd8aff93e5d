/** Computes the differences of a snapshot from the previous one of its scope, before anything is written. */
import type { Value } from "../../core/domain.ts";
import {
  type CurrentItem,
  type ItemParts,
  itemDigestLine,
  removedParts,
  type ScopeState,
  type StorageLayout,
} from "../schema/storage-layout.ts";

/** How one item changes; `last` is undefined for an item without an earlier row. */
export interface RowChange {
  last: CurrentItem | undefined;
  present: 0 | 1;
  parts: ItemParts;
}

/** What a snapshot changes, computed before anything is written. */
export interface Diff {
  changes: RowChange[];
  /** Canonical lines for the digest. */
  lines: string[];
  /** The number of rows that the history view will show for it. */
  rows: number;
}

/** Returns what `received` changes. `removed` holds the last rows of items known to be removed, with or without an earlier row. */
export function diff(
  layout: StorageLayout,
  state: ScopeState,
  received: ReadonlyMap<string, ItemParts>,
  removed: ReadonlyMap<string, ItemParts> = new Map(),
): Diff {
  const changes: RowChange[] = [...received].map(([key, parts]) => ({ last: state.get(key), present: 1, parts }));
  for (const [key, parts] of removed) changes.push({ last: state.get(key), present: 0, parts });
  for (const [key, last] of state) {
    if (last.present === 0 || received.has(key) || removed.has(key)) continue;
    changes.push({ last, present: 0, parts: removedParts(layout, last.parts) });
  }
  return {
    changes,
    lines: changes.map(({ present, parts }) => itemDigestLine(layout, present, parts)),
    rows: layout.dataset.onRemoval === "zeroRow" ? changes.length : received.size,
  };
}

/** Which rows a change of an item writes. */
export interface RowWrites {
  steady: boolean;
  moving: boolean;
  extra: boolean;
}

/** Returns which rows a change of an item writes. */
export const writesOf = (layout: StorageLayout, { last, present, parts }: RowChange): RowWrites => ({
  // The last row of a removed item appears only in the snapshot that wrote it, so each removal writes one.
  steady: !last || present === 0 || last.present !== present || differ(last.parts.steady, parts.steady),
  moving: needsMovingRow(layout, last, present, parts),
  extra: (last?.parts.extra ?? null) !== parts.extra,
});

/** Returns true if the change needs a row of moving columns. A removal without a zero row needs none; if the item returns, it does. */
function needsMovingRow(
  { dataset, moving }: StorageLayout,
  last: CurrentItem | undefined,
  present: 0 | 1,
  parts: ItemParts,
): boolean {
  if (moving.length === 0 || (present === 0 && dataset.onRemoval === "end")) return false;
  return !last || last.present !== present || differ(last.parts.moving, parts.moving);
}

const differ = (a: readonly Value[], b: readonly Value[]): boolean => a.some((value, at) => value !== b[at]);
