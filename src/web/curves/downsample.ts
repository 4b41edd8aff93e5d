/** As many points of several lines as a picture has columns of pixels: what is high, low, first, last or missing remains. */
import type { DecimalString } from "../../core/domain.ts";

/** At an instant (epoch ms) the value of each line, null where it is unknown. */
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
  /** Points beside which a line begins or breaks off. */
  edges: P[];
}

interface Extreme<P> {
  point: P;
  /** Only to compare heights in a drawing. */
  height: number;
}

/** Inside of one column more than the first two and the last two edges cannot be told apart. */
const maxEdges = 4;

/** Takes points in the order of time, and gives those that remain of each column once it is over. */
export function createDownsampler<P extends Point>(columnOf: (at: number) => number) {
  let column: Column<P> | null = null;
  let previous: { point: P; column: Column<P>; known: number } | null = null;

  function add(point: P): P[] {
    const number = columnOf(point.at);
    const finished = column && column.number !== number ? keptPoints(column) : [];
    if (column?.number !== number) column = { number, first: point, last: point, lowest: [], highest: [], edges: [] };
    column.last = point;
    updateExtremes(column, point);
    const known = knownBits(point);
    if (previous && previous.known !== known) {
      // The point before an edge may lie in the column before, whose last it is, and which is given already.
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

function addEdge<P extends Point>({ edges }: Column<P>, point: P): void {
  if (edges.at(-1) === point) return;
  edges.push(point);
  if (edges.length > maxEdges) edges.splice(maxEdges / 2, 1);
}

/** Which lines are known, as bits. */
const knownBits = ({ values }: Point): number =>
  values.reduce((bits, value, line) => (value === null ? bits : bits | (1 << line)), 0);

function keptPoints<P extends Point>({ first, last, lowest, highest, edges }: Column<P>): P[] {
  const extremes = [...lowest, ...highest].flatMap((one) => one?.point ?? []);
  return [...new Set([first, ...edges, ...extremes, last])].sort((a, b) => a.at - b.at);
}
