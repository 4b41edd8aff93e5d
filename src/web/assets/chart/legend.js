/** Renders the legend of a chart: a button for each line that shows or hides it. */

import { styleOf } from "./palette.js";

/** @typedef {import("./curve.js").Line} Line */

/**
 * @param {HTMLElement} place
 * @param {readonly Line[]} lines
 * @param {ReadonlySet<string>} hidden
 */
export function renderLegend(place, lines, hidden) {
  const focused = place.contains(document.activeElement) ? document.activeElement?.getAttribute("data-line") : null;
  place.replaceChildren(
    ...lines.map(({ name, label }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.line = name;
      button.setAttribute("aria-pressed", String(!hidden.has(name)));
      button.append(swatch(name), label);
      return button;
    }),
  );
  if (focused) /** @type {HTMLElement | null} */ (place.querySelector(`[data-line="${focused}"]`))?.focus();
}

/** Returns a piece of a line in its colour and dash pattern. @param {string} name */
export function swatch(name) {
  const { color, dash, isGain } = styleOf(name);
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  /** @param {string} from @param {string} to @param {string} kind */
  const lineOf = (from, to, kind) => {
    const line = document.createElementNS(space, "line");
    const attributes = { x1: from, y1: "4", x2: to, y2: "4", stroke: color, "stroke-width": "2.5", class: kind };
    for (const [key, value] of Object.entries(attributes)) line.setAttribute(key, value);
    if (dash.length > 0) line.setAttribute("stroke-dasharray", dash.join(" "));
    return line;
  };
  const lines = isGain ? [lineOf("0", "12", "gain"), lineOf("12", "24", "loss")] : [lineOf("0", "24", "")];
  picture.setAttribute("viewBox", "0 0 24 8");
  picture.setAttribute("class", "swatch");
  picture.setAttribute("aria-hidden", "true");
  picture.append(...lines);
  return picture;
}
