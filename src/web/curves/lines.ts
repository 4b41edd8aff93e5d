/** Reads lines over time as points, with gaps at due slots without data. */

import type { DecimalString } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { HistoryReader, ItemCells, ItemPoint, ItemRef, Span } from "../../store/history.ts";
import { CommonSlots } from "./common-slots.ts";
import type { Point } from "./downsample.ts";

/** The value of each line of a source; null is unknown. */
export type Values = readonly (DecimalString | null)[];

/** A line of a source. */
export interface LineInfo {
  name: string;
  label: string;
  /** How its values are shown. */
  kind: "money" | "quantity" | "price" | "share";
  /** Whether a value holds until the next one. */
  isStep?: true;
  /** Whether it is only read if requested by name. */
  isExtra?: true;
}

/** A point with its slot. */
export interface SlotPoint extends Point {
  /** When it was due, epoch ms. */
  slot: number;
}

/** Describes the source of a curve: the lines of one item, or of several items that are added up. */
export interface LineSource {
  dataset: Dataset;
  items: readonly ItemRef[];
  lines: readonly LineInfo[];
  /** The names of the lines of which the ends of the largest loss are kept, for their drawdown. */
  withLosses?: readonly string[];
  /** Columns of the history view. */
  columns: readonly string[];
  /** Returns the value of each line from the cells of those columns. */
  valuesOf(cells: ItemCells): Values;
  /** Combines the values of several items at one slot; `missing` items were due but have no data. */
  join(parts: readonly Values[], missing: number): Values;
}

/** Returns the slots of the items of a source. */
export const slotsOf = (history: HistoryReader, { items }: LineSource): CommonSlots =>
  new CommonSlots(items.map(({ seriesId }) => history.schedules(seriesId)));

/** Yields the points in [from, to), epoch ms; `slotBefore` is the slot of the last known point before them. */
export function* pointsOf(
  history: HistoryReader,
  source: LineSource,
  span: Span,
  slotBefore: number | null,
): Generator<SlotPoint, void> {
  const { dataset, items, lines, columns, valuesOf } = source;
  const slots = slotsOf(history, source);
  const series = items.map((item) => history.points(dataset, item, span, columns, valuesOf));
  const [only] = series;
  const points = series.length === 1 && only ? single(only) : joined(series, slots, source);
  const unknown = lines.map(() => null);
  let before = slotBefore;
  for (const point of points) {
    const missed = before === null ? null : slots.firstDue(before, point.slot);
    if (missed !== null) yield { at: Math.min(missed, point.at - 1), slot: missed, values: unknown };
    yield point;
    before = point.slot;
  }
}

function* single(points: Iterable<ItemPoint<Values>>): Generator<SlotPoint, void> {
  for (const { at, slot, value } of points) yield { at, slot, values: value };
}

/** Yields combined points at common slots of schedules; manual runs are skipped, because they belong to one item alone. */
function* joined(
  series: readonly Generator<ItemPoint<Values>, void>[],
  slots: CommonSlots,
  { join }: LineSource,
): Generator<SlotPoint, void> {
  const nextScheduled = (points: Generator<ItemPoint<Values>, void>): ItemPoint<Values> | undefined => {
    for (let next = points.next(); !next.done; next = points.next())
      if (next.value.slot % 1000 === 0) return next.value;
    return undefined;
  };
  const current = series.map(nextScheduled);
  for (;;) {
    const heads = current.map((head, at) => (head ? slots.of(at, head.slot) : Number.POSITIVE_INFINITY));
    const slot = Math.min(...heads);
    if (slot === Number.POSITIVE_INFINITY) return;
    const parts: Values[] = [];
    let missing = 0;
    for (const [at, head] of current.entries()) {
      const points = series[at];
      if (head && points && heads[at] === slot) {
        parts.push(head.value);
        current[at] = nextScheduled(points);
      } else if (slots.isScheduled(at, slot)) missing += 1;
    }
    // At the last slot, other accounts may be due in a moment. Where they were due before, the gap after the last point shows it.
    const isInProgress = missing > 0 && slots.spreadMs > 0 && current.every((head) => head === undefined);
    if (!isInProgress) yield { at: slot, slot, values: join(parts, missing) };
  }
}
