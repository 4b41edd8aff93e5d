/**
 * Reads curves over spans of any length. Spans of up to eight days are read point by point. For longer ones, the exact first, lowest,
 * highest and last points, the largest loss and the gaps of every hour are cached in memory and extended as new data is stored.
 */

import { type Paced, pause, type Steps } from "../../core/async/cooperate.ts";
import { graceAt } from "../../core/cron.ts";
import type { DecimalString } from "../../core/domain.ts";
import { hourMs } from "../../core/time.ts";
import type { HistoryReader, Span } from "../../store/history.ts";
import { CurveCache, type Summary } from "./curve-cache.ts";
import { createDownsampler, type Point } from "./downsample.ts";
import { type LineInfo, type LineSource, pointsOf, type SlotPoint, slotsOf } from "./lines.ts";

/** A requested curve. */
export interface CurveRequest {
  /** The cache key of the source. */
  key: string;
  /** Epoch ms; null starts at the first data. */
  from: number | null;
  to: number;
  now: number;
  /** Number of pixel columns. */
  width: number;
  /** Names of the lines of the source, in this order; null selects all. */
  lines: readonly string[] | null;
  /** Times at which the values on both sides are kept, oldest first. Epoch ms. */
  cuts?: readonly number[];
}

/** Describes a curve as columns for a plotting library; null breaks the line. */
export interface CurveData {
  from: number;
  to: number;
  at: number[];
  lines: (LineInfo & { values: (DecimalString | null)[] })[];
}

/** Spans up to this are read point by point. */
const detailMs = 8 * 24 * hourMs;
/** Points processed between two yields, and points read in one step of a summary. */
const pointsPerYield = 200;
const pointsPerStep = 2000;
/** How far the exchange's clock, which dates the points, may be behind this machine's. Milliseconds. */
const maxClockLagMs = 600_000;

/** Reads curves, and caches the summaries of long ones. */
export class Curves {
  readonly #cache = new CurveCache();

  /** Preloads the summary of a source if there is room, so that the first request for it does not wait. */
  *prepare(history: HistoryReader, source: LineSource, name: string): Steps<void> {
    if (source.items.length > 0 && this.#cache.isHalfEmpty()) yield* this.#summaryOf(history, source, name);
  }

  *curve(history: HistoryReader, source: LineSource, question: CurveRequest): Steps<CurveData> {
    const { key, to, width, now } = question;
    const begin = startOf(history, source);
    const from = startAt(question, begin);
    const cuts = (question.cuts ?? []).filter((at) => at > from && at < to);
    const detailed = new Set(cuts.map((at) => Math.floor(at / hourMs) * hourMs));
    const hourOf = (from: number, before: number | null) =>
      pointsOf(history, source, { from, to: from + hourMs }, before);
    const points: Iterable<SlotPoint> =
      to - from > detailMs
        ? pointsWithin(yield* this.#summaryOf(history, source, key), { from, to }, { detailed, hourOf })
        : pointsOf(history, source, { from, to }, null);
    const columnOf = createColumns({ from, to }, width, cuts);
    const wanted = wantedLines(question, source);
    const sampler = createDownsampler<Point>(columnOf, linesWithLosses(source, wanted));
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
    const slots = slotsOf(history, source);
    // Slots that were due before the first point or after the last one are gaps too.
    const head = slots.firstDue(Math.max(from, begin) - 1, first?.slot ?? to);
    if (head !== null && head < (kept[0]?.at ?? to)) kept.unshift({ at: head, values: nothing });
    const [any] = source.items;
    const pattern = any && history.schedules(any.seriesId).at(-1)?.pattern;
    const settled = Math.min(to, pattern ? now - graceAt(pattern, pattern.latest(now)) : now);
    const tail = last ? slots.firstDue(last.slot, settled - slots.spreadMs) : null;
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

  /** Yields every point of a curve, with the values of the requested lines. */
  *points(history: HistoryReader, source: LineSource, question: CurveRequest): Paced<Point> {
    const span = { from: startAt(question, startOf(history, source)), to: question.to };
    const wanted = wantedLines(question, source);
    for (const { at, values } of pointsOf(history, source, span, null)) {
      yield { at, values: wanted.map((line) => values[line] ?? null) };
      yield pause;
    }
  }

  /** Extends the summary from its last final hour. Concurrent requests may do so as well: it is consistent at every yield. */
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

const startAt = ({ from, to }: CurveRequest, begin: number): number => Math.min(from ?? begin, to - 1);

/** Returns the places of the requested lines; a name that the source does not have is left out. */
function wantedLines({ lines }: CurveRequest, source: LineSource): number[] {
  const chosen = lines?.map((one) => source.lines.findIndex(({ name }) => name === one));
  const shown = [...source.lines.keys()].filter((at) => !source.lines[at]?.isExtra);
  return (chosen ?? shown).filter((at) => at >= 0);
}

/** Returns which of the wanted lines keep their largest loss, by their places among these. */
const linesWithLosses = ({ lines, withLosses = [] }: LineSource, wanted: readonly number[]): number[] =>
  [...wanted.keys()].filter((at) => withLosses.includes(lines[wanted[at] ?? -1]?.name ?? ""));

/** Returns the names of the requested lines. */
export const lineNames = (request: CurveRequest, source: LineSource): string[] =>
  wantedLines(request, source).flatMap((at) => source.lines[at]?.name ?? []);

/** Returns the cache key of a source: its kind (`of`) and its items. */
export const sourceKey = (of: string, { items }: LineSource): string =>
  [of, ...items.map(({ scopeId, itemId }) => `${scopeId}/${itemId}`)].join(" ");

const isKnown = ({ values }: Point): boolean => values.some((value) => value !== null);

/** Returns when the first series of the source began, epoch ms; there is nothing to draw before. */
function startOf(history: HistoryReader, { items }: LineSource): number {
  const series = history.series(null).filter(({ id }) => items.some(({ seriesId }) => seriesId === id));
  return Math.min(Number.MAX_SAFE_INTEGER, ...series.map(({ firstAt }) => firstAt));
}

/** Adds the next hours, which are final up to `firstOpenSlot`. Returns whether everything is read. */
function readNextHours(history: HistoryReader, source: LineSource, summary: Summary, firstOpenSlot: number): boolean {
  const { hours } = summary;
  // A manual run may have been added to the last hour since then, independently of the schedule.
  const last = hours.pop();
  summary.size -= last?.points.length ?? 0;
  const begun = last ? hours.length + 1 : 0;
  const before = hours.at(-1)?.points.findLast(isKnown)?.slot ?? null;
  const span = { from: last?.from ?? 0, to: Number.MAX_SAFE_INTEGER };
  const losses = linesWithLosses(source, [...source.lines.keys()]);
  const sampler = createDownsampler<SlotPoint>((at) => Math.floor(at / hourMs), losses);
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
    // The hour being read is not complete yet.
    if (read >= pointsPerStep && hours.length > begun) return false;
  }
  keep(sampler.end());
  return true;
}

/** Which hours are read again in full, and how. */
interface Detail {
  detailed: ReadonlySet<number>;
  /** Returns the points of an hour; `before` is the slot of the last known point before it. */
  hourOf(from: number, before: number | null): Iterable<SlotPoint>;
}

function* pointsWithin({ hours }: Summary, { from, to }: Span, detail: Detail): Generator<SlotPoint, void> {
  let before: number | null = null;
  for (const hour of hours) {
    if (hour.from + hourMs <= from || hour.from >= to) continue;
    const points = detail.detailed.has(hour.from) ? detail.hourOf(hour.from, before) : hour.points;
    for (const point of points) if (point.at >= from && point.at < to) yield point;
    before = hour.points.findLast(isKnown)?.slot ?? before;
  }
}

/** Returns a function that gives the column of a time: one for each pixel, divided at each cut. Times must be passed in order. */
function createColumns({ from, to }: Span, width: number, cuts: readonly number[]): (at: number) => number {
  let passed = 0;
  return (at) => {
    while ((cuts[passed] ?? Number.POSITIVE_INFINITY) <= at) passed += 1;
    return Math.floor(((at - from) / (to - from)) * width) + passed * (width + 1);
  };
}
