/** Builds the SVG elements of a chart, and renders SVG as PNG. */
import { createRequire } from "node:module";
import { escapeControlChars } from "../../core/text.ts";

/** Attributes by their SVG names. */
export type Attributes = Record<string, string | number>;

/** An SVG document with its accessible texts. Sizes are pixels. */
export interface Picture {
  width: number;
  height: number;
  /** Read by screen readers, like the description. */
  title: string;
  description: string;
  elements: readonly string[];
}

const fonts = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

/** Returns a complete SVG document. */
export function picture({ width, height, title, description, elements }: Picture): string {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
  };
  return element("svg", { ...attributes, "font-family": fonts, "font-size": 13, fill: "#222" }, [
    element("title", {}, [escaped(title)]),
    element("desc", {}, [escaped(description)]),
    rectangle(0, 0, width, height, { fill: "#fff" }),
    ...elements,
  ]);
}

export const text = (x: number, y: number, content: string, attributes: Attributes = {}): string =>
  element("text", { x, y, ...attributes }, [escaped(content)]);

export const rectangle = (x: number, y: number, width: number, height: number, attributes: Attributes): string =>
  element("rect", { x, y, width, height, ...attributes });

export const rule = (x1: number, y1: number, x2: number, y2: number, stroke: string): string =>
  element("line", { x1, y1, x2, y2, stroke });

export const path = (d: string, attributes: Attributes): string => element("path", { d, fill: "none", ...attributes });

export const dot = (cx: number, cy: number, attributes: Attributes): string =>
  element("circle", { cx, cy, r: 2.5, ...attributes });

function element(name: string, attributes: Attributes, content: readonly string[] = []): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(short(value))}"`);
  const start = `<${name}${written.join("")}`;
  return content.length === 0 ? `${start}/>\n` : `${start}>${content.join("")}</${name}>\n`;
}

/** Rounds numbers to a tenth of a pixel. */
const short = (value: string | number): string =>
  typeof value === "number" ? String(Math.round(value * 10) / 10) : value;

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

const escaped = (content: string): string =>
  escapeControlChars(content).replace(/[&<>"]/g, (character) => entities[character] ?? character);

/** Renders SVG as PNG, with the bundled font only, so that the picture is the same on every machine. */
export function pngOf(svg: string): Buffer {
  // Loaded on first use: nothing else needs it, and some platforms have no build of it.
  const require = createRequire(import.meta.url);
  const { Resvg } = require("@resvg/resvg-js") as typeof import("@resvg/resvg-js");
  const font = require.resolve("@expo-google-fonts/didact-gothic/400Regular/DidactGothic_400Regular.ttf");
  const options = { loadSystemFonts: false, fontFiles: [font], defaultFontFamily: "Didact Gothic" };
  return new Resvg(svg, { font: { ...options, sansSerifFamily: "Didact Gothic" } }).render().asPng();
}
