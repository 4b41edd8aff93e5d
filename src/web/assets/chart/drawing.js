/** Draws a curve: axis labels, isolated points, and stripes over gaps. */

import uPlot from "../uPlot.esm.js";
import { fillsOf } from "./curve.js";
import { styleOf } from "./palette.js";

/** @typedef {import("./curve.js").Curve} Curve */

/** Returns a function that reads a colour of the page by its name. @param {HTMLElement} figure */
export function colorsOf(figure) {
  const style = getComputedStyle(figure);
  return (/** @type {string} */ name) => style.getPropertyValue(name).trim();
}

/** @typedef {ReturnType<typeof colorsOf>} Colors */

/** @param {Colors} color @param {string} timezone @param {boolean} isShare @returns {uPlot.Axis[]} */
export function axesOf(color, timezone, isShare) {
  const axis = {
    stroke: color("--soft"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { stroke: color("--line"), width: 1 },
  };
  return [
    { ...axis, values: timeLabels(timezone) },
    {
      ...axis,
      size: sizeOfLabels,
      values: (_, ticks) =>
        ticks.map((tick) =>
          isShare ? `${round(tick * 100)} %` : tick.toLocaleString("en", { maximumFractionDigits: 8 }),
        ),
    },
  ];
}

/**
 * @param {import("./curve.js").Line} line
 * @param {{ isOnly: boolean, isShown: boolean, isStacked: boolean }} how `isOnly`: the curve has no other line
 * @returns {uPlot.Series}
 */
export function seriesOf({ name, label, isStep }, { isOnly, isShown, isStacked }) {
  const { color, dash } = styleOf(name);
  const stepped = isStep ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  return {
    label,
    stroke: color,
    show: isShown,
    width: isOnly || name === "total" ? 1.75 : 1.25,
    dash: isStacked ? [] : dash,
    ...(isStacked ? { fill: faint(color) } : {}),
    ...(stepped ? { paths: stepped } : {}),
    spanGaps: false,
    points: { show: true, size: 4, filter: alone },
  };
}

/** Returns a colour for the area below a line. @param {string} color */
const faint = (color) => `${color}55`;

/** Returns the areas between stacked lines. @param {readonly boolean[]} isStacked by line @returns {uPlot.Band[]} */
export function bandsOf(isStacked) {
  const stacked = [...isStacked.keys()].filter((at) => isStacked[at]).map((at) => at + 1);
  return stacked.flatMap((at, place) => {
    const below = stacked[place + 1];
    return below === undefined ? [] : [{ series: /** @type {[number, number]} */ ([at, below]) }];
  });
}

/** @param {number} tick */
const round = (tick) => Number(tick.toPrecision(6)).toString().replace("-", "\u2212");

/** Points with no neighbour to draw a line to. @param {uPlot} self @param {number} line @param {boolean} show */
function alone(self, line, show) {
  if (!show) return null;
  const values = self.data[line] ?? [];
  return [...values.keys()].filter((at) => values[at] != null && values[at - 1] == null && values[at + 1] == null);
}

/** @param {string} timezone @returns {uPlot.Axis.DynamicValues} */
function timeLabels(timezone) {
  const day = 86_400_000;
  /** @param {Intl.DateTimeFormatOptions} options */
  const writer = (options) => new Intl.DateTimeFormat("en-GB", { ...options, timeZone: timezone });
  const month = writer({ month: "short", year: "numeric" });
  const date = writer({ day: "numeric", month: "short" });
  const minute = writer({ hour: "2-digit", minute: "2-digit" });
  const second = writer({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return (_self, ticks, _axis, _space, step) => {
    if (step >= 28 * day) return ticks.map((at) => month.format(at));
    if (step >= day) return ticks.map((at) => date.format(at));
    return ticks.map((at, index) => {
      const time = (step < 60_000 ? second : minute).format(at);
      const before = ticks[index - 1];
      return before !== undefined && date.format(before) === date.format(at) ? time : `${time}\n${date.format(at)}`;
    });
  };
}

/** Returns the width that the longest label needs. @param {uPlot} self @param {string[]} labels */
function sizeOfLabels(self, labels) {
  const longest = Math.max(0, ...(labels ?? []).map((label) => label.length));
  self.ctx.font = "12px system-ui";
  return Math.ceil(self.ctx.measureText("0".repeat(longest)).width / devicePixelRatio) + 18;
}

/**
 * Draws stripes over the full height of unknown spans: grey without data, amber where only a part is known.
 * @param {uPlot} self @param {Curve} curve @param {string} gap @param {string} partial
 */
export function shade(self, curve, gap, partial) {
  const { left, top, width, height } = self.bbox;
  const { ctx } = self;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  for (const { from, to, isPartial } of fillsOf(curve)) {
    const begin = Math.max(left, self.valToPos(from, "x", true));
    const end = Math.min(left + width, Math.max(self.valToPos(to, "x", true), begin + 2 * devicePixelRatio));
    if (end <= left || begin >= left + width) continue;
    ctx.fillStyle = isPartial ? partial : gap;
    ctx.globalAlpha = 0.22;
    ctx.fillRect(begin, top, end - begin, height);
    ctx.globalAlpha = 0.5;
    // A single slot is a thin bar; there is no room for stripes in it.
    if (end - begin < 6 * devicePixelRatio) continue;
    ctx.strokeStyle = isPartial ? partial : gap;
    ctx.lineWidth = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(begin, top, end - begin, height);
    ctx.clip();
    ctx.beginPath();
    const step = 8 * devicePixelRatio;
    for (let x = begin - height; x < end; x += step) {
      ctx.moveTo(x, isPartial ? top : top + height);
      ctx.lineTo(x + height, isPartial ? top + height : top);
    }
    ctx.stroke();
    ctx.restore();
  }
  ctx.restore();
}
