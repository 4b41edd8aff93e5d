/** Downsamples lines: keeps the first, lowest, highest and last point, the largest loss and the gaps of each pixel column. */
import type { DecimalString } from "../../core/domain.ts";

/** The value of each line at a time (epoch ms); null is unknown. */
export interface Point {
  at: number;
  values: readonly (DecimalString | null)[];
}

interface Column<P extends Point> {
  number: number;
  first: P;
  last: P;
  lowest: (Extreme<P> | undefined)[];
  highest: (Extreme<P> | undefined)[];
  losses: (Loss<P> | undefined)[];
  /** Points at which a line begins or ends. */
  edges: P[];
}

interface Extreme<P> {
  point: P;
  /** The value as a number, for comparison only. */
  height: number;
}

/** The largest loss of a line as a part of its peak, which may be between two extremes. */
interface Loss<P extends Point> {
  peak: Extreme<P>;
  lowest: Extreme<P>;
}

/** Only the first two and the last two edges of a column are kept: more would not be visible. */
const maxEdges = 4;

/**
 * Returns a downsampler: `add` takes points in chronological order and returns those kept of a column once it is complete.
 * `withLosses`: the places of the lines of which the ends of the largest loss are kept.
 */
export function createDownsampler<P extends Point>(
  columnOf: (at: number) => number,
  withLosses: readonly number[] = [],
) {
  let column: Column<P> | null = null;
  let previous: { point: P; column: Column<P>; known: number } | null = null;

  function add(point: P): P[] {
    const number = columnOf(point.at);
    const finished = column && column.number !== number ? keptPoints(column) : [];
    if (column?.number !== number)
      column = { number, first: point, last: point, lowest: [], highest: [], losses: [], edges: [] };
    column.last = point;
    updateExtremes(column, point);
    for (const line of withLosses) updateLoss(column, line, point);
    const known = knownBits(point);
    if (previous && previous.known !== known) {
      // If the point before an edge is in the previous column, it is the last of that column and kept already.
      if (previous.column === column) addEdge(column, previous.point);
      addEdge(column, point);
    }
    previous = { point, column, known };
    return finished;
  }

  return { add, end: (): P[] => (column ? keptPoints(column) : []) };
}

function updateExtremes<P extends Point>({ lowest, highest }: Column<P>, point: P): void {
  for (const [line, value] of point.values.entries()) {
    if (value === null) continue;
    const height = Number(value);
    if (height < (lowest[line]?.height ?? Number.POSITIVE_INFINITY)) lowest[line] = { point, height };
    if (height > (highest[line]?.height ?? Number.NEGATIVE_INFINITY)) highest[line] = { point, height };
  }
}

function updateLoss<P extends Point>({ highest, losses }: Column<P>, line: number, point: P): void {
  const [value, peak, largest] = [point.values[line] ?? null, highest[line], losses[line]];
  if (value === null || !peak || peak.height <= 0) return;
  const lowest = { point, height: Number(value) };
  if (!largest || lowest.height * largest.peak.height < largest.lowest.height * peak.height)
    losses[line] = { peak, lowest };
}

function addEdge<P extends Point>({ edges }: Column<P>, point: P): void {
  if (edges.at(-1) === point) return;
  edges.push(point);
  if (edges.length > maxEdges) edges.splice(maxEdges / 2, 1);
}

/** Returns a bit for each line, set where its value is known. */
const knownBits = ({ values }: Point): number =>
  values.reduce((bits, value, line) => (value === null ? bits : bits | (1 << line)), 0);

function keptPoints<P extends Point>({ first, last, lowest, highest, losses, edges }: Column<P>): P[] {
  const ends = losses.flatMap((one) => (one ? [one.peak, one.lowest] : []));
  const extremes = [...lowest, ...highest, ...ends].flatMap((one) => one?.point ?? []);
  return [...new Set([first, ...edges, ...extremes, last])].sort((a, b) => a.at - b.at);
}
