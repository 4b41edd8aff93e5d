/** Splits a line of a chart into pieces to draw and gaps to shade, downsampled to the columns of pixels. */

/** An interval of time (epoch ms) or of pixels. */
export interface Interval {
  from: number;
  to: number;
}

/** A value at a time (epoch ms); null if it is unknown. */
export interface Mark {
  at: number;
  value: number | null;
}

/** A mark whose value is known. */
export interface Known extends Mark {
  value: number;
}

/** The marks that are drawn in one column of pixels. */
interface Column {
  number: number;
  first: Known;
  lowest: Known;
  highest: Known;
  last: Known;
}

/**
 * Returns the pieces of a line, which breaks at unknown values. Keeps the first, lowest, highest and last value of each column of
 * pixels: the picture is the same as with all values. `marks` are in order of time.
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
    // A break within one column is not visible; the gap is still shaded.
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
 * Returns the gaps of a line, each from the value before it to the value after it. The time before the first value and after the last
 * is a gap only if it is longer than every step between neighbouring values: the newest value is always a little old.
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

/** Returns the gaps in pixels, each at least `minWidth` wide; gaps that touch are merged. */
export function shadesOf(gaps: readonly Interval[], x: (at: number) => number, minWidth: number): Interval[] {
  const shades: Interval[] = [];
  for (const gap of gaps) {
    const from = x(gap.from);
    const to = Math.max(x(gap.to), from + minWidth);
    const before = shades.at(-1);
    if (before && from <= before.to) before.to = Math.max(before.to, to);
    else shades.push({ from, to });
  }
  return shades;
}
