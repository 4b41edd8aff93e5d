/** Lays out the plot of a position: prices above, with the size as steps, and below them the profit around a line at zero. */

/** @typedef {import("./curve.js").Line} Line */
/** @typedef {{ from: number, to: number }} Band a part of the height of the plot, as shares from its foot */

/** The scale of each line that is not on the common one. @type {Record<string, string>} */
const scales = { mark_price: "price", average_open_price: "price", liquidation_price: "price", size: "size" };

/** The parts of the plot that belong to the scales. @type {Record<string, Band>} */
const bands = { price: { from: 0.4, to: 0.98 }, size: { from: 0.37, to: 0.47 }, y: { from: 0.02, to: 0.3 } };

/** The scale of a line. @param {string} name */
export const scaleOf = (name) => scales[name] ?? "y";

/** Whether lines are in two panes. @param {readonly Line[]} lines */
export const hasPanes = (lines) => lines.some(({ name }) => scaleOf(name) !== "y");

/** How often the range of the other prices a liquidation price may extend the range. */
const maxStretch = 3;

/**
 * Returns the heights of lines without a liquidation price that is so far away that the prices would be one flat line.
 * @param {readonly Line[]} lines
 * @param {(number | null)[][]} heights
 */
export function withoutFar(lines, heights) {
  const others = lines.flatMap(({ name }, at) =>
    scaleOf(name) === "price" && name !== "liquidation_price" ? (heights[at] ?? []) : [],
  );
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const height of others) if (height !== null) [low, high] = [Math.min(low, height), Math.max(high, height)];
  const room = Math.max((high - low) * maxStretch, high * 0.02);
  return lines.map(({ name }, at) =>
    name === "liquidation_price"
      ? (heights[at] ?? []).map((height) =>
          height !== null && height >= low - room && height <= high + room ? height : null,
        )
      : (heights[at] ?? []),
  );
}

/** Returns the range of a scale in which its values are in their band. @param {string} scale @param {number | null} low @param {number | null} high @returns {[number, number]} */
export function rangeIn(scale, low, high) {
  const { from, to } = bands[scale] ?? { from: 0, to: 1 };
  const isFromZero = scale !== "price";
  const [least, most] = [
    Math.min(low ?? 0, isFromZero ? 0 : (low ?? 0)),
    Math.max(high ?? 0, isFromZero ? 0 : (high ?? 0)),
  ];
  const span = most > least ? most - least : Math.abs(most) * 0.01 || 1;
  const whole = span / (to - from);
  const begin = most > least ? least : least - span / 2;
  return [begin - from * whole, begin - from * whole + whole];
}

/** Returns the scales of the plot. @returns {Record<string, import("uplot").Scale>} */
export const paneScales = () =>
  Object.fromEntries(
    Object.keys(bands).map((scale) => [
      scale,
      {
        range: (/** @type {unknown} */ _self, /** @type {number} */ low, /** @type {number} */ high) =>
          rangeIn(scale, low, high),
      },
    ]),
  );

/** Hides what an axis has outside the band of its scale. @param {string} scale @returns {(self: import("uplot"), splits: number[]) => (number | null)[]} */
export const withinBand = (scale) => (self, splits) => {
  const { from, to } = bands[scale] ?? { from: 0, to: 1 };
  const { min = 0, max = 1 } = self.scales[scale] ?? {};
  const place = (/** @type {number} */ value) => (value - (min ?? 0)) / ((max ?? 1) - (min ?? 0));
  return splits.map((value) => (place(value) >= from - 0.02 && place(value) <= to + 0.02 ? value : null));
};

/** Returns what paints gains above zero and losses below it. @param {import("uplot")} self @param {string} up @param {string} down */
export function gainPaint(self, up, down) {
  const { top, height } = self.bbox;
  const zero = Math.min(1, Math.max(0, (self.valToPos(0, "y", true) - top) / height));
  const paint = self.ctx.createLinearGradient(0, top, 0, top + height);
  for (const [place, color] of /** @type {const} */ ([
    [0, up],
    [zero, up],
    [zero, down],
    [1, down],
  ]))
    paint.addColorStop(place, color);
  return paint;
}

/** Draws the line at zero, and the one between the panes. @param {import("uplot")} self @param {(name: string) => string} color */
export function drawPanes(self, color) {
  const { ctx } = self;
  const { left, top, width, height } = self.bbox;
  const between = ((bands.y?.to ?? 0) + (bands.price?.from ?? 0) - 0.02) / 2;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  for (const [y, ink] of /** @type {const} */ ([
    [self.valToPos(0, "y", true), color("--soft")],
    [top + height * (1 - between), color("--line")],
  ])) {
    ctx.strokeStyle = ink;
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
  }
  ctx.restore();
}
