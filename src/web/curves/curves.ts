/**
 * Curves of any length at once. A span of some days is read point by point. For longer ones the highest, lowest, first,
 * last and missing of every hour is kept in memory, exact to the digit, and goes on with what is stored.
 */
import { statSync } from "node:fs";
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { graceAt } from "../../core/cron.ts";
import type { Digits } from "../../core/domain.ts";
import { schedulesOf, seriesOf } from "../../store/runs/slot-counts.ts";
import type { Sqlite } from "../../store/sqlite/database.ts";
import { createKept, type Summary } from "./curve-cache.ts";
import { createSampler, type Point } from "./downsample.ts";
import { firstDue, type LineSource, pointsOf, type SlotPoint } from "./lines.ts";

export interface CurveQuestion {
  /** Names the source: what is kept in memory is kept under it. */
  name: string;
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
export interface CurveAnswer {
  from: number;
  to: number;
  at: number[];
  lines: { name: string; label: string; values: (Digits | null)[] }[];
}

const hourMs = 3_600_000;
/** Spans up to this are read point by point. */
const detailMs = 8 * 24 * hourMs;
/** Points that are looked at between two pauses, and that are read in one go for a summary. */
const pointsPerTurn = 200;
const pointsPerStep = 2000;

export function createCurves(databasePath: string) {
  const summaries = createKept();

  const originOf = (sqlite: Sqlite): string =>
    `${statSync(databasePath).ino} ${sqlite.prepare("select max(id) from pruned").pluck().get()}`;

  /** Whoever else waits for the same reads on as well: between two steps nothing is half done. */
  function* catchUp(sqlite: Sqlite, source: LineSource, summary: Summary): Steps<void> {
    for (;;) {
      const isOver = readOn(sqlite, source, summary);
      summaries.makeRoom(summary);
      if (isOver) return;
      yield pause;
    }
  }

  function* answer(sqlite: Sqlite, source: LineSource, question: CurveQuestion): Steps<CurveAnswer> {
    const { name, to, width, now } = question;
    const begin = beginOf(sqlite, source);
    const from = Math.min(question.from ?? begin, to - 1);
    let points: Iterable<SlotPoint>;
    if (to - from > detailMs) {
      const summary = summaries.of(name, originOf(sqlite));
      yield* catchUp(sqlite, source, summary);
      points = within(summary, from, to);
    } else points = pointsOf(sqlite, source, { from, to }, null);
    const columnOf = (at: number) => Math.floor(((at - from) / (to - from)) * width);
    const chosen = question.lines?.map((one) => source.lines.findIndex(({ name }) => name === one));
    const wanted = (chosen ?? [...source.lines.keys()]).filter((at) => at >= 0);
    const sampler = createSampler<Point>(columnOf);
    const kept: Point[] = [];
    let read = 0;
    let first: SlotPoint | undefined;
    let last: SlotPoint | undefined;
    for (const point of points) {
      first ??= point;
      if (isKnown(point)) last = point;
      kept.push(...sampler.add({ at: point.at, values: wanted.map((at) => point.values[at] ?? null) }));
      read += 1;
      if (read % pointsPerTurn === 0) yield pause;
    }
    kept.push(...sampler.end());
    const nothing = wanted.map(() => null);
    const schedules = source.items.map(({ seriesId }) => schedulesOf(sqlite, seriesId));
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

  return {
    answer,
    /** Reads what longer spans need, as far as there is room, so that the first who asks does not wait. */
    *prepare(sqlite: Sqlite, source: LineSource, name: string): Steps<void> {
      if (source.items.length > 0 && summaries.isHalfEmpty())
        yield* catchUp(sqlite, source, summaries.of(name, originOf(sqlite)));
    },
  };
}

export type Curves = ReturnType<typeof createCurves>;

/** Tells the sources apart: `of` which kind, and of which items. */
export const nameOf = (of: string, { items }: LineSource): string =>
  [of, ...items.map(({ scopeId, itemId }) => `${scopeId}/${itemId}`)].join(" ");

const isKnown = ({ values }: Point): boolean => values.some((value) => value !== null);

/** When the first series of the source began; now and before there is nothing to draw. Epoch ms. */
function beginOf(sqlite: Sqlite, { items }: LineSource): number {
  const series = seriesOf(sqlite, null).filter(({ id }) => items.some(({ seriesId }) => seriesId === id));
  return Math.min(Number.MAX_SAFE_INTEGER, ...series.map(({ begunAt }) => begunAt));
}

/** From the last hour that was read, which may not have been over. True when everything is read. */
function readOn(sqlite: Sqlite, source: LineSource, summary: Summary): boolean {
  const { hours } = summary;
  const last = hours.pop();
  const before = hours.at(-1)?.points.findLast(isKnown)?.slot ?? null;
  summary.size -= last?.points.length ?? 0;
  const over = hours.length + 1;
  const sampler = createSampler<SlotPoint>((at) => Math.floor(at / hourMs));
  let read = 0;
  for (const point of pointsOf(sqlite, source, { from: last?.from ?? 0, to: Number.MAX_SAFE_INTEGER }, before)) {
    keep(summary, sampler.add(point));
    read += 1;
    if (read < pointsPerStep || hours.length <= over) continue;
    keep(summary, sampler.end());
    return false;
  }
  keep(summary, sampler.end());
  return true;
}

function keep(summary: Summary, points: readonly SlotPoint[]): void {
  const [first] = points;
  if (!first) return;
  summary.size += points.length;
  summary.hours.push({ from: Math.floor(first.at / hourMs) * hourMs, points: [...points] });
}

function* within({ hours }: Summary, from: number, to: number): Generator<SlotPoint, void> {
  for (const hour of hours) {
    if (hour.from + hourMs <= from || hour.from >= to) continue;
    for (const point of hour.points) if (point.at >= from && point.at < to) yield point;
  }
}
