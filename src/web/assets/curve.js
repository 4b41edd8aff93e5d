/** Describes a curve, independently of how it is drawn. */

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} label
 * @property {(string | null)[]} values digits; null is unknown
 *
 * @typedef {object} Curve
 * @property {number} from epoch ms
 * @property {number} to
 * @property {number[]} at epoch ms
 * @property {Line[]} lines the first one is the main line
 */

/** "12345.6789" -> "12,345.6789". @param {string} digits */
export const grouped = (digits) => digits.replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));

/**
 * Returns the spans in which the first line is unknown, each from the known point before to the known point after it.
 * @param {Curve} curve
 */
export function fillsOf({ at, lines, to }) {
  const [first] = lines;
  if (!first) return [];
  const partial = lines.find(({ name }) => name === "known_part");
  /** @type {{ from: number, to: number, isPartial: boolean }[]} */
  const fills = [];
  let from = at[0] ?? to;
  let isUnknown = false;
  let isPartial = false;
  for (const [index, value] of first.values.entries()) {
    const instant = at[index] ?? to;
    if (value !== null) {
      if (isUnknown) fills.push({ from, to: instant, isPartial });
      from = instant;
      isUnknown = false;
      isPartial = false;
      continue;
    }
    const isKnownPart = partial?.values[index] != null;
    // Spans with a known part and spans without any data are drawn differently.
    if (isUnknown && isKnownPart !== isPartial) {
      fills.push({ from, to: instant, isPartial });
      from = instant;
    }
    isUnknown = true;
    isPartial = isKnownPart;
  }
  if (isUnknown) fills.push({ from, to, isPartial });
  return fills;
}

/**
 * Returns a description of the curve in a few sentences.
 * @param {Curve} curve
 * @param {(at: number) => string} timeText
 */
export function wordsOf(curve, timeText) {
  const { from, to, at, lines } = curve;
  const [line] = lines;
  const known = [...(line?.values ?? []).entries()].flatMap(([index, digits]) =>
    digits === null ? [] : [{ digits, at: at[index] ?? 0 }],
  );
  const when = `${timeText(from)} to ${timeText(to)}`;
  const [first] = known;
  const last = known.at(-1);
  if (!first || !last) return `${when}: no data.`;
  let [lowest, highest] = [first, first];
  for (const one of known) {
    if (Number(one.digits) < Number(lowest.digits)) lowest = one;
    if (Number(one.digits) > Number(highest.digits)) highest = one;
  }
  /** @param {{ digits: string, at: number }} one */
  const pointText = ({ digits, at }) => `${grouped(digits)} (${timeText(at)})`;
  const fills = fillsOf(curve);
  const partial = fills.filter(({ isPartial }) => isPartial).length;
  const gaps = fills.length - partial;
  return [
    `${when}: from ${grouped(first.digits)} to ${grouped(last.digits)}; lowest ${pointText(lowest)}, highest ${pointText(highest)}.`,
    gaps > 0 ? `${gaps} ${gaps === 1 ? "gap" : "gaps"} (striped grey: no data).` : "",
    partial > 0 ? `${partial} incomplete (striped amber; the dashed line is the partial equity).` : "",
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}
