/** Reads lines over time as points, with gaps at due slots without data. */

import type { DecimalString } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { HistoryReader, ItemCells, ItemPoint, ItemRef, SchedulePeriod, Span } from "../../store/history.ts";
import type { Point } from "./downsample.ts";

/** The value of each line of a source; null is unknown. */
export type Values = readonly (DecimalString | null)[];

/** A point with its slot. */
export interface SlotPoint extends Point {
  /** When it was due, epoch ms. */
  slot: number;
}

/** Describes the source of a curve: the lines of one item, or of several items that are added up. */
export interface LineSource {
  dataset: Dataset;
  items: readonly ItemRef[];
  lines: readonly { name: string; label: string }[];
  /** Columns of the history view. */
  columns: readonly string[];
  /** Returns the value of each line from the cells of those columns. */
  valuesOf(cells: ItemCells): Values;
  /** Combines the values of several items at one slot; `missing` items were due but have no data. */
  join(parts: readonly Values[], missing: number): Values;
}

/** Yields the points in [from, to), epoch ms; `slotBefore` is the slot of the last known point before them. */
export function* pointsOf(
  history: HistoryReader,
  source: LineSource,
  span: Span,
  slotBefore: number | null,
): Generator<SlotPoint, void> {
  const { dataset, items, lines, columns, valuesOf } = source;
  const schedules = items.map(({ seriesId }) => history.schedules(seriesId));
  const series = items.map((item) => history.points(dataset, item, span, columns, valuesOf));
  const [only] = series;
  const points = series.length === 1 && only ? single(only) : joined(series, schedules, source);
  const unknown = lines.map(() => null);
  let before = slotBefore;
  for (const point of points) {
    const missed = before === null ? null : firstDue(schedules, before, point.slot);
    if (missed !== null) yield { at: Math.min(missed, point.at - 1), slot: missed, values: unknown };
    yield point;
    before = point.slot;
  }
}

function* single(points: Iterable<ItemPoint<Values>>): Generator<SlotPoint, void> {
  for (const { at, slot, value } of points) yield { at, slot, values: value };
}

/** Yields combined points at scheduled slots; manual runs are skipped, because they belong to one item alone. */
function* joined(
  series: readonly Generator<ItemPoint<Values>, void>[],
  schedules: readonly SchedulePeriod[][],
  { join }: LineSource,
): Generator<SlotPoint, void> {
  const nextScheduled = (points: Generator<ItemPoint<Values>, void>): ItemPoint<Values> | undefined => {
    for (let next = points.next(); !next.done; next = points.next())
      if (next.value.slot % 1000 === 0) return next.value;
    return undefined;
  };
  const current = series.map(nextScheduled);
  for (;;) {
    const slot = Math.min(...current.map((head) => head?.slot ?? Number.POSITIVE_INFINITY));
    if (slot === Number.POSITIVE_INFINITY) return;
    const parts: Values[] = [];
    let missing = 0;
    for (const [at, head] of current.entries()) {
      const points = series[at];
      if (head?.slot === slot && points) {
        parts.push(head.value);
        current[at] = nextScheduled(points);
      } else if (schedules[at]?.some(({ since, until }) => since < slot && until >= slot)) missing += 1;
    }
    yield { at: slot, slot, values: join(parts, missing) };
  }
}

/** Returns the first slot between two times that was due by any of the schedules, epoch ms, or null if there was none. */
export function firstDue(schedules: readonly SchedulePeriod[][], after: number, before: number): number | null {
  let first: number | null = null;
  for (const one of schedules)
    for (const { pattern, since, until } of one) {
      if (until <= after || since >= before) continue;
      const due = pattern.next(Math.max(after, since));
      if (due < before && due <= until && (first === null || due < first)) first = due;
    }
  return first;
}
