/** Lines over time as points, with breaks where a slot that was due told nothing. */

import type { DecimalString } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { HistoryReader, ItemCells, ItemPoint, ItemRef, SchedulePeriod, Span } from "../../store/history.ts";
import type { Point } from "./downsample.ts";

export type Values = readonly (DecimalString | null)[];

export interface SlotPoint extends Point {
  /** When it was due, epoch ms. */
  slot: number;
}

/** What a curve is made of: the same lines of one item, or of several that are counted together. */
export interface LineSource {
  dataset: Dataset;
  items: readonly ItemRef[];
  lines: readonly { name: string; label: string }[];
  /** Of the history view. */
  columns: readonly string[];
  /** What the lines are at, from the cells of those columns. */
  valuesOf(cells: ItemCells): Values;
  /** Of several items at one slot; `missing` of those that were due told nothing. */
  join(parts: readonly Values[], missing: number): Values;
}

/** Points from `from` on and before `to`, epoch ms; `slotBefore` is that of the known point before them. */
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

/** At the slots that the items have in common; what somebody asked for in between is of one of them alone. */
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

/** The first slot between two that was due by any of the schedules; null where there was none. Epoch ms. */
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
