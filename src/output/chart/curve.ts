/** A line of a chart as pieces to draw and gaps to shade, no more of either than the picture has columns of pixels. */

/** Of time (epoch ms), or of pixels. */
export interface Interval {
  from: number;
  to: number;
}

/** At an instant (epoch ms) a value, or null where it is unknown. */
export interface Mark {
  at: number;
  value: number | null;
}

export interface Known extends Mark {
  value: number;
}

/** What is drawn of the marks in one column of pixels. */
interface Column {
  number: number;
  first: Known;
  lowest: Known;
  highest: Known;
  last: Known;
}

/**
 * The pieces of a line that breaks where a value is unknown. Of each column of pixels the first, lowest, highest and last
 * value remain: the picture is the same as with all of them. `marks` are in the order of time.
 */
export function piecesOf(marks: Iterable<Mark>, columnOf: (at: number) => number): Known[][] {
  const pieces: Column[][] = [];
  let broken = false;
  for (const { at, value } of marks) {
    if (value === null) {
      broken = true;
      continue;
    }
    const mark = { at, value };
    const number = columnOf(at);
    const piece = pieces.at(-1);
    const column = piece?.at(-1);
    // Inside of one column a break cannot be seen; the gap is shaded all the same.
    if (!piece || !column || (broken && piece[0]?.number !== number)) pieces.push([columnWith(number, mark)]);
    else if (column.number === number) widen(column, mark);
    else piece.push(columnWith(number, mark));
    broken = false;
  }
  return pieces.map((columns) => columns.flatMap(marksOf));
}

const columnWith = (number: number, mark: Known): Column => ({
  number,
  first: mark,
  lowest: mark,
  highest: mark,
  last: mark,
});

function widen(column: Column, mark: Known): void {
  if (mark.value < column.lowest.value) column.lowest = mark;
  if (mark.value > column.highest.value) column.highest = mark;
  column.last = mark;
}

const marksOf = ({ first, lowest, highest, last }: Column): Known[] =>
  [...new Set([first, lowest, highest, last])].sort((a, b) => a.at - b.at);

/**
 * Where nothing is known, from the value before to the value after. Before the first value and after the last one it is a
 * gap only where it is longer than any step the line goes without a break: the newest value is always a little old.
 */
export function gapsOf(marks: Iterable<Mark>, { from, to }: Interval): Interval[] {
  const gaps: (Interval & { isEdge: boolean })[] = [];
  let before: number | null = null;
  let isUnknown = false;
  let longestStep = 0;
  for (const { at, value } of marks) {
    if (value === null) {
      isUnknown = true;
      continue;
    }
    if (before === null || isUnknown) gaps.push({ from: before ?? from, to: at, isEdge: !isUnknown });
    else longestStep = Math.max(longestStep, at - before);
    before = at;
    isUnknown = false;
  }
  gaps.push({ from: before ?? from, to, isEdge: before !== null && !isUnknown });
  return gaps.filter((gap) => !gap.isEdge || gap.to - gap.from > longestStep);
}

/** Gaps in pixels, each at least `least` wide, those that touch as one. */
export function shadesOf(gaps: readonly Interval[], x: (at: number) => number, least: number): Interval[] {
  const shades: Interval[] = [];
  for (const gap of gaps) {
    const from = x(gap.from);
    const to = Math.max(x(gap.to), from + least);
    const before = shades.at(-1);
    if (before && from <= before.to) before.to = Math.max(before.to, to);
    else shades.push({ from, to });
  }
  return shades;
}
