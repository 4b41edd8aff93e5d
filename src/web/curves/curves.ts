/**
 * Curves of any length at once. A span of some days is read point by point. For longer ones the highest, lowest, first,
 * last and missing of every hour is kept in memory, exact to the digit, and goes on with what is stored.
 */

import { pause, type Steps } from "../../core/async/cooperate.ts";
import { graceAt } from "../../core/cron.ts";
import type { DecimalString } from "../../core/domain.ts";
import { hourMs } from "../../core/time.ts";
import type { HistoryReader } from "../../store/history.ts";
import { CurveCache, type Summary } from "./curve-cache.ts";
import { createDownsampler, type Point } from "./downsample.ts";
import { firstDue, type LineSource, pointsOf, type SlotPoint } from "./lines.ts";

export interface CurveRequest {
  /** Names the source: what is kept in memory is kept under it. */
  key: string;
  /** Epoch ms; `from` is null for everything there is. */
  from: number | null;
  to: number;
  now: number;
  /** Columns of pixels. */
  width: number;
  /** Of the source, in this order; null: all. */
  lines: readonly string[] | null;
}

/** Columns as a plotting library wants them; a value that is null is a break. */
export interface CurveData {
  from: number;
  to: number;
  at: number[];
  lines: { name: string; label: string; values: (DecimalString | null)[] }[];
}

/** Spans up to this are read point by point. */
const detailMs = 8 * 24 * hourMs;
/** Points that are looked at between two pauses, and that are read in one go for a summary. */
const pointsPerYield = 200;
const pointsPerStep = 2000;
/** As far as the exchange's clock, by which points have their place, may be behind ours. Milliseconds. */
const maxClockLagMs = 600_000;

export class Curves {
  readonly #cache = new CurveCache();

  /** Reads what longer spans need, as far as there is room, so that the first who asks does not wait. */
  *prepare(history: HistoryReader, source: LineSource, name: string): Steps<void> {
    if (source.items.length > 0 && this.#cache.isHalfEmpty()) yield* this.#summaryOf(history, source, name);
  }

  *curve(history: HistoryReader, source: LineSource, question: CurveRequest): Steps<CurveData> {
    const { key, to, width, now } = question;
    const begin = startOf(history, source);
    const from = Math.min(question.from ?? begin, to - 1);
    const points: Iterable<SlotPoint> =
      to - from > detailMs
        ? pointsWithin(yield* this.#summaryOf(history, source, key), from, to)
        : pointsOf(history, source, { from, to }, null);
    const columnOf = (at: number) => Math.floor(((at - from) / (to - from)) * width);
    const chosen = question.lines?.map((one) => source.lines.findIndex(({ name }) => name === one));
    const wanted = (chosen ?? [...source.lines.keys()]).filter((at) => at >= 0);
    const sampler = createDownsampler<Point>(columnOf);
    const kept: Point[] = [];
    let read = 0;
    let first: SlotPoint | undefined;
    let last: SlotPoint | undefined;
    for (const point of points) {
      first ??= point;
      if (isKnown(point)) last = point;
      kept.push(...sampler.add({ at: point.at, values: wanted.map((at) => point.values[at] ?? null) }));
      read += 1;
      if (read % pointsPerYield === 0) yield pause;
    }
    kept.push(...sampler.end());
    const nothing = wanted.map(() => null);
    const schedules = source.items.map(({ seriesId }) => history.schedules(seriesId));
    // What was due before the first point, and after the last one, is missing too.
    const head = firstDue(schedules, Math.max(from, begin) - 1, first?.slot ?? to);
    if (head !== null && head < (kept[0]?.at ?? to)) kept.unshift({ at: head, values: nothing });
    const pattern = schedules[0]?.at(-1)?.pattern;
    const settled = Math.min(to, pattern ? now - graceAt(pattern, pattern.latest(now)) : now);
    const tail = last ? firstDue(schedules, last.slot, settled) : null;
    if (tail !== null && tail > (kept.at(-1)?.at ?? 0)) kept.push({ at: tail, values: nothing });
    return {
      from,
      to,
      at: kept.map(({ at }) => at),
      lines: wanted.flatMap((at, column) => {
        const line = source.lines[at];
        return line ? [{ ...line, values: kept.map(({ values }) => values[column] ?? null) }] : [];
      }),
    };
  }

  /** Reads on from the last hour that is final. Whoever else waits for the same reads on as well: at a pause nothing is half done. */
  *#summaryOf(history: HistoryReader, source: LineSource, name: string): Steps<Summary> {
    const found = this.#cache.get(name);
    const summary =
      found && history.isUnchangedSince(found.mark) ? found : { mark: history.mark(), hours: [], size: 0 };
    summary.mark = history.mark();
    const open = summary.hours.findIndex(({ isFinal }) => !isFinal);
    if (open >= 0) for (const { points } of summary.hours.splice(open)) summary.size -= points.length;
    const firstOpenSlot = history.firstOpenSlot(source.items.map(({ seriesId }) => seriesId)) - maxClockLagMs;
    for (;;) {
      const isOver = readNextHours(history, source, summary, firstOpenSlot);
      this.#cache.set(name, summary);
      if (isOver) return summary;
      yield pause;
    }
  }
}

/** Tells the sources apart: `of` which kind, and of which items. */
export const sourceKey = (of: string, { items }: LineSource): string =>
  [of, ...items.map(({ scopeId, itemId }) => `${scopeId}/${itemId}`)].join(" ");

const isKnown = ({ values }: Point): boolean => values.some((value) => value !== null);

/** When the first series of the source began; now and before there is nothing to draw. Epoch ms. */
function startOf(history: HistoryReader, { items }: LineSource): number {
  const series = history.series(null).filter(({ id }) => items.some(({ seriesId }) => seriesId === id));
  return Math.min(Number.MAX_SAFE_INTEGER, ...series.map(({ firstAt }) => firstAt));
}

/** Adds the next hours, which are final up to `firstOpenSlot`. Returns whether everything is read. */
function readNextHours(history: HistoryReader, source: LineSource, summary: Summary, firstOpenSlot: number): boolean {
  const { hours } = summary;
  // A run on demand may have been added to the last hour since, whatever the schedule.
  const last = hours.pop();
  summary.size -= last?.points.length ?? 0;
  const begun = last ? hours.length + 1 : 0;
  const before = hours.at(-1)?.points.findLast(isKnown)?.slot ?? null;
  const span = { from: last?.from ?? 0, to: Number.MAX_SAFE_INTEGER };
  const sampler = createDownsampler<SlotPoint>((at) => Math.floor(at / hourMs));
  const keep = (points: SlotPoint[]): void => {
    const [first] = points;
    if (!first) return;
    const from = Math.floor(first.at / hourMs) * hourMs;
    hours.push({ from, points, isFinal: from + hourMs <= firstOpenSlot });
    summary.size += points.length;
  };
  let read = 0;
  for (const point of pointsOf(history, source, span, before)) {
    keep(sampler.add(point));
    read += 1;
    // The hour that is being read is not whole yet.
    if (read >= pointsPerStep && hours.length > begun) return false;
  }
  keep(sampler.end());
  return true;
}

function* pointsWithin({ hours }: Summary, from: number, to: number): Generator<SlotPoint, void> {
  for (const hour of hours) {
    if (hour.from + hourMs <= from || hour.from >= to) continue;
    for (const point of hour.points) if (point.at >= from && point.at < to) yield point;
  }
}
