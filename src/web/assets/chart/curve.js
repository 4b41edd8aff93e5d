/** Describes a curve, independently of how it is drawn. */

import { figureText } from "./figures.js";

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} label
 * @property {import("./figures.js").Kind} kind
 * @property {boolean} [isStep] whether a value holds until the next one
 * @property {(string | null)[]} values digits; null is unknown
 *
 * @typedef {object} Curve
 * @property {number} from epoch ms
 * @property {number} to
 * @property {number[]} at epoch ms
 * @property {Line[]} lines the first one is the main line
 * @property {{ from: number, to: number }[]} [unknown] of a profit or net deposits: when money may have been paid of which nothing is known
 * @property {boolean} [isPaidKnown] of them: whether anything is known of what was paid
 */

/**
 * Returns the heights at which lines are drawn: those that are stacked, each on top of those after it. For drawing only.
 * @param {readonly Line[]} lines
 * @param {(name: string) => boolean} isStacked
 * @returns {(number | null)[][]}
 */
export function heightsOf(lines, isStacked) {
  const heights = lines.map(({ values }) => values.map((digits) => (digits === null ? null : Number(digits))));
  /** @type {(number | null)[] | null} */
  let below = null;
  for (const [at, { name }] of [...lines.entries()].reverse()) {
    const own = heights[at];
    if (!own || !isStacked(name)) continue;
    /** @type {(number | null)[]} */
    const base = below ?? [];
    below = own.map((height, index) => {
      const under = base[index] ?? null;
      return height === null && under === null ? null : (height ?? 0) + (under ?? 0);
    });
    heights[at] = below;
  }
  return heights;
}

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
 * @param {boolean} isExact whether figures have every digit
 */
export function wordsOf(curve, timeText, isExact) {
  const { from, to, at, lines } = curve;
  const [line] = lines;
  const known = [...(line?.values ?? []).entries()].flatMap(([index, digits]) =>
    digits === null ? [] : [{ digits, at: at[index] ?? 0 }],
  );
  const [first] = known;
  const last = known.at(-1);
  if (!first || !last) return `${timeText(from)} to ${timeText(to)}: no data.`;
  let [lowest, highest] = [first, first];
  for (const one of known) {
    if (Number(one.digits) < Number(lowest.digits)) lowest = one;
    if (Number(one.digits) > Number(highest.digits)) highest = one;
  }
  /** @param {string} digits */
  const text = (digits) => figureText(digits, line?.kind ?? "quantity", isExact);
  /** @param {{ digits: string, at: number }} one */
  const pointText = ({ digits, at }) => `${text(digits)} (${timeText(at)})`;
  const fills = fillsOf(curve);
  const partial = fills.filter(({ isPartial }) => isPartial).length;
  const gaps = fills.filter((fill) => !fill.isPartial && !isUnpaid(curve, fill)).length;
  return [
    `${timeText(first.at)} to ${timeText(last.at)}: from ${text(first.digits)} to ${text(last.digits)}; lowest ${pointText(lowest)}, highest ${pointText(highest)}.`,
    gaps > 0 ? `${gaps} ${gaps === 1 ? "gap" : "gaps"} (striped grey: no data).` : "",
    ...paidSentences(curve, timeText),
    partial > 0 ? `${partial} incomplete (striped amber; the dashed line is the partial equity).` : "",
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

/**
 * Returns sentences about the money paid in and out that a profit does not consider.
 * @param {Curve} curve
 * @param {(at: number) => string} timeText
 */
function paidSentences({ from, to, lines, unknown = [], isPaidKnown = true }, timeText) {
  /** @param {{ from: number, to: number }} span */
  const spanText = (span) => {
    const [first, last] = [timeText(Math.max(from, span.from)), timeText(Math.min(to, span.to))];
    return first === last ? first : `${first} to ${last}`;
  };
  if (lines.some(({ name }) => name === "net_deposits"))
    return [
      "The dashed steps begin at the equity of the wallets with a ledger and add what was paid in and out.",
      ...unknown.map((span) => `It is unknown at ${spanText(span)}; after it they begin again.`),
    ];
  if (!isPaidKnown && lines[0]?.name === "total") return [];
  if (!isPaidKnown) return ["Deposits and withdrawals are in it, because the exchange's ledger was not collected."];
  return unknown.map(
    (span) => `Not in it (striped grey): ${spanText(span)}, because what was paid in and out is unknown.`,
  );
}

/**
 * Returns whether a profit is unknown in a span because what was paid is, which a sentence of its own says.
 * @param {Curve} curve
 * @param {{ from: number, to: number }} fill
 */
const isUnpaid = ({ lines, unknown = [] }, fill) =>
  lines.every(({ name }) => name === "profit" || name === "drawdown") &&
  unknown.some((span) => span.from <= fill.to && span.to >= fill.from);
