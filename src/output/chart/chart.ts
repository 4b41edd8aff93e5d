/** Draws curves over time as one picture, with gaps shaded. */
import { type ScaleLinear, scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import type { DecimalString } from "../../core/domain.ts";
import { localText, type Tick, timeTicks, valueAxis } from "./axes.ts";
import { gapsOf, type Known, piecesOf, shadesOf } from "./curve.ts";
import { type Attributes, dot, path, picture, rectangle, rule, text } from "./svg.ts";

export { pngOf } from "./svg.ts";

/** The content of a chart. */
export interface Chart {
  title: string;
  /** The unit of the values, such as "USDT". */
  unit: string;
  /** An IANA name: the axis shows local days and hours. */
  timezone: string;
  /** The span shown, epoch ms; points outside it are omitted. */
  from: number;
  to: number;
  lines: ChartLine[];
}

/** One line of a chart. */
export interface ChartLine {
  name: string;
  /** In order of time (epoch ms). At a null the line breaks: the values between its known neighbours are unknown. */
  points: { at: number; value: DecimalString | null }[];
}

type Scale = ScaleLinear<number, number>;

const width = 1200;
const left = 24;
const right = width - 24;
const legendTop = 68;
const legendRow = 20;
const plotHeight = 360;
/** Colours of Okabe and Ito, which are distinguishable with colour blindness; repeated after the last. */
const colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"];
const grey = "#707070";

/** Returns a complete SVG document, 1200 pixels wide. @throws RangeError if the time zone is unknown */
export function svgOf(chart: Chart): string {
  const { title, unit, timezone, from, to } = chart;
  const inside = chart.lines.map(({ points }) => points.filter(({ at }) => at >= from && at <= to));
  const values = inside.flatMap(valuesOf);
  const axis = valueAxis(values, 6);
  const top = legendTop + legendRow * inside.length + 24;
  const bottom = top + plotHeight;
  const widest = Math.max(...axis.ticks.map(({ label }) => label.length));
  const x = scaleLinear([from, to], [left + 16 + widest * 7.5, right]);
  const y = axis.scale.range([bottom, top]);

  const lines = inside.map((points, row) => {
    const color = colors[row % colors.length] ?? grey;
    const marks = points.map(({ at, value }) => ({ at, value: value === null ? null : axis.numberOf(value) }));
    return {
      row,
      color,
      // With several lines, the gaps of each are shaded in its own colour.
      shade: { fill: inside.length > 1 ? color : grey, "fill-opacity": 0.3 },
      label: `${chart.lines[row]?.name}: ${lastOf(points, chart)}`,
      shades: shadesOf(gapsOf(marks, chart), x, 3),
      pieces: piecesOf(marks, (at) => Math.floor(x(at))),
    };
  });
  const span = `${unit}, ${localText(from, timezone)} to ${localText(to, timezone)}, ${timezone}`;
  return picture({
    width,
    height: bottom + 40,
    title,
    description: [span, ...lines.map(({ label }) => label)].join("; "),
    elements: [
      text(left, 34, title, { "font-size": 20 }),
      text(left, 56, span, { fill: grey }),
      ...lines.flatMap(({ row, label, color }) => legend(left, row, label, { fill: color })),
      ...lines.flatMap(({ row, shades, shade }) =>
        shades.length > 0 ? legend(right - 76, row, "no data", shade) : [],
      ),
      ...lines.flatMap(({ shades, shade }) =>
        shades.map((gap) => rectangle(gap.from, top, gap.to - gap.from, plotHeight, { class: "gap", ...shade })),
      ),
      ...(values.length > 0 ? axis.ticks : []).flatMap((tick) => valueLine(tick, x(from), y(tick.at))),
      ...timeTicks(chart, timezone, 12).flatMap((tick) => timeMark(tick, x(tick.at), bottom)),
      ...lines.flatMap(({ pieces, color }) => pieces.flatMap((piece) => stroke(piece, color, x, y))),
      ...(values.length > 0
        ? []
        : [text((x(from) + right) / 2, (top + bottom) / 2, "no data", { "font-size": 20, "text-anchor": "middle" })]),
    ],
  });
}

const valuesOf = (points: ChartLine["points"]): DecimalString[] =>
  points.map(({ value }) => value).filter((value) => value !== null);

/** Returns the last known value with its time; "no data" if there is none. */
function lastOf(points: ChartLine["points"], { unit, timezone }: Chart): string {
  const last = points.findLast(({ value }) => value !== null);
  return last ? `${last.value} ${unit} at ${localText(last.at, timezone)}` : "no data";
}

const legend = (x: number, row: number, label: string, swatch: Attributes): string[] => [
  rectangle(x, legendTop + legendRow * row, 14, 10, swatch),
  text(x + 22, legendTop + legendRow * row + 10, label),
];

const valueLine = ({ label }: Tick, x: number, y: number): string[] => [
  rule(x, y, right, y, /[1-9]/.test(label) ? "#ddd" : grey),
  text(x - 8, y + 4, label, { "text-anchor": "end" }),
];

const timeMark = ({ label }: Tick, x: number, y: number): string[] => [
  rule(x, y, x, y + 6, grey),
  text(x, y + 22, label, { "text-anchor": "middle" }),
];

/** Returns the elements of a piece of a line, with dots if it is too short to be visible otherwise. */
function stroke(piece: readonly Known[], color: string, x: Scale, y: Scale): string[] {
  const places = piece.map(({ at, value }): [number, number] => [x(at), y(value)]);
  const columns = new Set(places.map(([column]) => Math.floor(column)));
  const drawn = line().digits(1)(places) ?? "";
  return [
    path(drawn, { class: "line", stroke: color, "stroke-width": 1.5, "stroke-linejoin": "round" }),
    ...(columns.size > 1 ? [] : places.map(([cx, cy]) => dot(cx, cy, { fill: color }))),
  ];
}
