/** Draws a curve: axis labels, isolated points, stripes over gaps, and flags of events. */

import uPlot from "../uPlot.esm.js";
import { fillsOf } from "./curve.js";
import { styleOf } from "./palette.js";
import { gainPaint, hasPanes, scaleOf, withinBand } from "./panes.js";

/** @typedef {import("./curve.js").Curve} Curve */

/** Returns a function that reads a colour of the page by its name. @param {HTMLElement} figure */
export function colorsOf(figure) {
  const style = getComputedStyle(figure);
  return (/** @type {string} */ name) => style.getPropertyValue(name).trim();
}

/** @typedef {ReturnType<typeof colorsOf>} Colors */

/** @param {Colors} color @param {string} timezone @param {readonly import("./curve.js").Line[]} lines @returns {uPlot.Axis[]} */
export function axesOf(color, timezone, lines) {
  const isShare = lines[0]?.kind === "share";
  const axis = {
    stroke: color("--soft"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { stroke: color("--line"), width: 1 },
  };
  /** @type {uPlot.Axis.DynamicValues} */
  const values = (_, ticks) =>
    ticks.map((tick) =>
      // The ticks of another pane have no label.
      tick === null ? "" : isShare ? `${round(tick * 100)} %` : tick.toLocaleString("en", { maximumFractionDigits: 8 }),
    );
  const time = { ...axis, values: timeLabels(timezone) };
  if (!hasPanes(lines)) return [time, { ...axis, size: sizeOfLabels, values }];
  /** @param {string} scale @returns {uPlot.Axis} */
  const paneAxis = (scale) => {
    const filter = withinBand(scale);
    return { ...axis, scale, values, filter, grid: { ...axis.grid, filter }, ticks: { ...axis.ticks, filter } };
  };
  // Both are in one column: the lower one takes no room of its own.
  return [time, { ...paneAxis("y"), size: 0 }, { ...paneAxis("price"), size: sizeOfPanes }];
}

/** Returns the width that the labels of both panes need. @param {uPlot} self @param {string[]} labels */
function sizeOfPanes(self, labels) {
  const { min = 0, max = 0 } = self.scales.y ?? {};
  const others = [min, max].map((value) => Math.round(value ?? 0).toLocaleString("en"));
  return sizeOfLabels(self, [...(labels ?? []), ...others]);
}

/**
 * @param {import("./curve.js").Line} line
 * @param {{ isOnly: boolean, isShown: boolean, isStacked: boolean, paint: Colors }} how `isOnly`: the curve has no other line
 * @returns {uPlot.Series}
 */
export function seriesOf({ name, label, isStep }, { isOnly, isShown, isStacked, paint }) {
  const { color, dash, isGain } = styleOf(name);
  /** @param {uPlot} self @param {string} strength */
  const gains = (self, strength) => gainPaint(self, paint("--up") + strength, paint("--down") + strength);
  const stepped = isStep ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  return {
    label,
    scale: scaleOf(name),
    stroke: isGain ? (self) => gains(self, "") : color,
    show: isShown,
    width: isOnly || name === "total" ? 1.75 : 1.25,
    dash: isStacked ? [] : dash,
    ...(isStacked ? { fill: faint(color) } : {}),
    ...(name === "size" ? { fill: `${color}1a` } : {}),
    ...(isGain ? { fill: (self) => gains(self, "55"), fillTo: () => 0 } : {}),
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

/** @typedef {{ at: number, flag: string, text: string }} Event what happened, with the letter of its flag */

/** Returns the events that the page lists below a chart, oldest first. @param {HTMLElement} figure @returns {Event[]} */
export function eventsIn(figure) {
  const items = /** @type {NodeListOf<HTMLElement>} */ (figure.querySelectorAll("[data-flag]"));
  const events = [...items].map((item) => ({
    at: Number(item.dataset.at),
    flag: item.dataset.flag ?? "",
    text: item.querySelector("span")?.textContent ?? "",
  }));
  return events.reverse();
}

const flagSize = 15;

/**
 * Returns the flags in the drawn range; those that would overlap are one. `x`: pixels from the value axis.
 * @param {uPlot} self @param {readonly Event[]} events @returns {{ x: number, events: Event[] }[]}
 */
export function flagsOf(self, events) {
  /** @type {{ x: number, events: Event[] }[]} */
  const flags = [];
  const { min = 0, max = 0 } = self.scales.x ?? {};
  for (const event of events) {
    if (event.at < (min ?? 0) || event.at > (max ?? 0)) continue;
    const x = self.valToPos(event.at, "x");
    const last = flags.at(-1);
    if (last && x - last.x < flagSize + 1) last.events.push(event);
    else flags.push({ x, events: [event] });
  }
  return flags;
}

const maxNotes = 4;

/** Returns what the flag at a place says; of many events the first ones. @param {uPlot} self @param {readonly Event[]} events @param {number} left */
export function notesAt(self, events, left) {
  const near = flagsOf(self, events).filter(({ x }) => Math.abs(x - left) <= flagSize / 2 + 1);
  const texts = near.flatMap((flag) => flag.events.map((one) => `${one.flag} ${one.text}`));
  const more = texts.length - maxNotes;
  return more > 0 ? [...texts.slice(0, maxNotes), `and ${more} more, listed below`] : texts;
}

/** Draws a flag for each event at the foot of its moment: its letter, or how many there are. @param {uPlot} self @param {readonly Event[]} events @param {Colors} color */
export function drawFlags(self, events, color) {
  const { ctx } = self;
  const ratio = devicePixelRatio;
  const [size, foot] = [flagSize * ratio, self.bbox.top + self.bbox.height];
  ctx.save();
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.font = `600 ${11 * ratio}px system-ui`;
  ctx.lineWidth = ratio;
  for (const { x, events: own } of flagsOf(self, events)) {
    const middle = self.bbox.left + x * ratio;
    const isAlert = own.some(({ flag }) => flag === "A");
    ctx.strokeStyle = color("--soft");
    ctx.setLineDash([2 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(middle, self.bbox.top);
    ctx.lineTo(middle, foot - size);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = color(isAlert ? "--ink" : "--card");
    ctx.strokeStyle = color("--ink");
    ctx.fillRect(middle - size / 2, foot - size, size, size);
    ctx.strokeRect(middle - size / 2, foot - size, size, size);
    ctx.fillStyle = color(isAlert ? "--card" : "--ink");
    ctx.fillText(own.length === 1 ? (own[0]?.flag ?? "") : String(own.length), middle, foot - size / 2);
  }
  ctx.restore();
}
