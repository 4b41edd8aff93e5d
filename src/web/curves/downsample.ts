/** As many points of several lines as a picture has columns of pixels: what is high, low, first, last or missing remains. */
import type { Digits } from "../../core/domain.ts";

/** At an instant (epoch ms) the value of each line, null where it is unknown. */
export interface Point {
  at: number;
  values: readonly (Digits | null)[];
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
const mostEdges = 4;

/** Takes points in the order of time, and gives those that remain of each column once it is over. */
export function createSampler<P extends Point>(columnOf: (at: number) => number) {
  let column: Column<P> | null = null;
  let before: { point: P; column: Column<P>; known: number } | null = null;

  function add(point: P): P[] {
    const number = columnOf(point.at);
    const over = column && column.number !== number ? keptOf(column) : [];
    if (column?.number !== number) column = { number, first: point, last: point, lowest: [], highest: [], edges: [] };
    column.last = point;
    widen(column, point);
    const known = knownOf(point);
    if (before && before.known !== known) {
      // The point before an edge may lie in the column before, whose last it is, and which is given already.
      if (before.column === column) addEdge(column, before.point);
      addEdge(column, point);
    }
    before = { point, column, known };
    return over;
  }

  return { add, end: (): P[] => (column ? keptOf(column) : []) };
}

function widen<P extends Point>({ lowest, highest }: Column<P>, point: P): void {
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
  if (edges.length > mostEdges) edges.splice(mostEdges / 2, 1);
}

/** Which lines are known, as bits. */
const knownOf = ({ values }: Point): number =>
  values.reduce((bits, value, line) => (value === null ? bits : bits | (1 << line)), 0);

function keptOf<P extends Point>({ first, last, lowest, highest, edges }: Column<P>): P[] {
  const extremes = [...lowest, ...highest].flatMap((one) => one?.point ?? []);
  return [...new Set([first, ...edges, ...extremes, last])].sort((a, b) => a.at - b.at);
}
