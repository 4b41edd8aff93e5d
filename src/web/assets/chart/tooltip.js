/** Shows the values under the cursor beside it, and on the value axis. A click keeps them and offers to view that moment. */

import { difference, figureText } from "./figures.js";
import { swatch } from "./legend.js";

/**
 * @typedef {import("./curve.js").Curve} Curve
 * @typedef {import("./curve.js").Line} Line
 * @typedef {{ lines: Line[], index: number, time: string, isExact: boolean, notes: string[], address: string | null }} Reading
 */

/** Distance from the cursor, in pixels. */
const distance = 14;

/** The tooltip of one chart. */
export class Tooltip {
  #box = document.createElement("div");
  #value = document.createElement("div");
  #isPinned = false;

  /** @param {HTMLElement} plot */
  constructor(plot) {
    this.#box.className = "tooltip";
    this.#value.className = "axis-value";
    this.#value.setAttribute("aria-hidden", "true");
    this.hide();
    plot.append(this.#box, this.#value);
  }

  get isPinned() {
    return this.#isPinned;
  }

  hide() {
    this.#isPinned = false;
    this.#box.hidden = true;
    this.#value.hidden = true;
    this.#box.classList.remove("pinned");
  }

  /**
   * Shows values at a place of the plot, in pixels from its corner.
   * @param {Reading} reading
   * @param {{ x: number, y: number, left: number, width: number }} place `left` is where the value axis ends
   */
  show(reading, { x, y, left, width }) {
    if (this.#isPinned) return;
    this.#box.replaceChildren(...contentOf(reading));
    this.#box.hidden = false;
    const isRight = x < width / 2;
    this.#box.style.left = isRight ? `${x + distance}px` : "";
    this.#box.style.right = isRight ? "" : `${width - x + distance}px`;
    const main = reading.lines[0]?.values[reading.index];
    this.#value.hidden = main == null;
    if (main == null) return;
    this.#value.textContent = figureText(main, reading.lines[0]?.kind ?? "quantity", reading.isExact);
    this.#value.style.top = `${y}px`;
    this.#value.style.right = `${width - left}px`;
  }

  /** Keeps the tooltip where it is, with a link. @returns {HTMLElement | null} the link */
  pin() {
    if (this.#box.hidden) return null;
    this.#isPinned = true;
    this.#box.classList.add("pinned");
    return this.#box.querySelector("a");
  }
}

/** @param {Reading} reading */
function contentOf({ lines, index, time, isExact, notes, address }) {
  const heading = document.createElement("p");
  heading.className = "time";
  heading.textContent = time;
  const table = document.createElement("dl");
  for (const line of lines) {
    const value = line.values[index];
    if (value == null) continue;
    const [name, figure] = [document.createElement("dt"), document.createElement("dd")];
    name.append(swatch(line.name), line.label);
    figure.append(figureText(value, line.kind, isExact));
    const first = line.values.find((one) => one !== null);
    if (first != null && line.kind !== "share") figure.append(changeHtml(first, value, line, isExact));
    table.append(name, figure);
  }
  const texts = table.childElementCount > 0 ? notes : ["No data", ...notes];
  return [heading, table, ...texts.map(noteHtml), ...(address === null ? [] : [linkTo(address)])];
}

/** @param {string} first @param {string} value @param {Line} line @param {boolean} isExact */
function changeHtml(first, value, { kind }, isExact) {
  const change = document.createElement("small");
  const moved = difference(value, first);
  const isUp = Number(moved) > 0;
  const share =
    Number(first) > 0 && kind !== "quantity" ? ` (${((Number(moved) / Number(first)) * 100).toFixed(2)} %)` : "";
  change.textContent = ` ${isUp ? "+" : ""}${figureText(moved, kind, isExact)}${share.replace("-", "\u2212")}`;
  return change;
}

/** @param {string} text */
function noteHtml(text) {
  const note = document.createElement("p");
  note.textContent = text;
  return note;
}

/** @param {string} address */
function linkTo(address) {
  const link = document.createElement("a");
  link.href = address;
  link.textContent = "View this moment";
  return link;
}
