import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Chart, pngOf, svgOf } from "../../../src/output/chart/chart.ts";
import { piecesOf } from "../../../src/output/chart/curve.ts";

/** 2026-11-01T00:00:00Z. */
const start = 1_793_491_200_000;
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

type Points = Chart["lines"][number]["points"];

/** Returns one value per minute; null is unknown. */
const minutes = (values: (string | null)[], from = start): Points =>
  values.map((value, n) => ({ at: from + n * minute, value }));

const chartOf = (points: Points, other: Partial<Chart> = {}): Chart => ({
  title: "Equity",
  unit: "USDT",
  timezone: "UTC",
  from: start,
  to: points.at(-1)?.at ?? start + day,
  lines: [{ name: "main", points }],
  ...other,
});

const attributesOf = (svg: string, element: RegExp): Record<string, string>[] =>
  [...svg.matchAll(element)].map(([tag]) =>
    Object.fromEntries([...tag.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value])),
  );
const textsOf = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, content = ""]) => content);
const gapsOf = (svg: string) =>
  attributesOf(svg, /<rect [^>]*class="gap"[^>]*>/g).map(({ x, width, fill }) => ({
    from: Number(x),
    to: Number(x) + Number(width),
    fill,
  }));
const dotsOf = (svg: string) => attributesOf(svg, /<circle [^>]*>/g);

/** Returns the corners of every piece of every line, in pixels. */
const linesOf = (svg: string): [number, number][][] =>
  attributesOf(svg, /<path [^>]*class="line"[^>]*>/g).map(({ d = "" }) =>
    [...d.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]),
  );
const valueLabels = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*text-anchor="end"[^>]*>([^<]*)</g)].map(([, label = ""]) => label);
const timeLabels = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*text-anchor="middle"[^>]*>([^<]*)</g)].map(([, label = ""]) => label);

describe("a gap", () => {
  it("breaks the line and is shaded from the value before to the value after", () => {
    const svg = svgOf(chartOf(minutes(["1", "2", "3", null, null, "4", "5"])));
    const [before = [], after = []] = linesOf(svg);
    const [gap] = gapsOf(svg);
    expect(gap?.from).toBeCloseTo(before.at(-1)?.[0] ?? 0, 0);
    expect(gap?.to).toBeCloseTo(after[0]?.[0] ?? 0, 0);
    expect(gapsOf(svg)).toHaveLength(1);
    expect(linesOf(svg)).toHaveLength(2);
    expect(textsOf(svg)).toContain("no data");
  });

  it("does not exist where every value is known", () => {
    const svg = svgOf(chartOf(minutes(["1", "2", "3", "4"])));
    expect(gapsOf(svg)).toEqual([]);
    expect(linesOf(svg)).toHaveLength(1);
    expect(textsOf(svg)).not.toContain("no data");
  });

  it("shows a value between two of them as a dot", () => {
    const svg = svgOf(chartOf(minutes(["1", "2", null, "3", null, "4", "5"])));
    expect(dotsOf(svg)).toHaveLength(1);
    expect(linesOf(svg)).toHaveLength(3);
  });

  it("extends to the ends of a span without values there, unless that is one ordinary step", () => {
    const values = minutes(["1", "2", "3"]);
    const beyond = gapsOf(svgOf(chartOf(values, { from: start - hour, to: start + hour })));
    const within = gapsOf(svgOf(chartOf(values, { from: start - minute, to: start + 3 * minute })));
    expect(beyond).toHaveLength(2);
    expect(beyond[1]?.to).toBe(1176);
    expect(within).toEqual([]);
  });

  it("of one of several lines has the colour of that line", () => {
    const lines = [
      { name: "main", points: minutes(["1", "2", "3", "4"]) },
      { name: "hedge", points: minutes(["5", null, "7", "8"]) },
    ];
    const svg = svgOf(chartOf([], { to: start + 3 * minute, lines }));
    expect(gapsOf(svg).map(({ fill }) => fill)).toEqual(["#d55e00"]);
    expect(linesOf(svg)).toHaveLength(3);
  });

  it("of a single minute in a year is still wide enough to be visible", () => {
    const values = Array.from({ length: 365 * 24 }, (_, n) => ({
      at: start + n * hour,
      value: n === 5000 ? null : "1",
    }));
    const svg = svgOf(chartOf(values));
    expect(gapsOf(svg).map(({ from, to }) => Math.round(to - from))).toEqual([3]);
    expect(linesOf(svg)).toHaveLength(2);
  });
});

describe("many points", () => {
  it("are reduced to few, with the lowest and the highest among them", () => {
    const values = minutes(Array.from({ length: 200_000 }, (_, n) => String(1500 + (n % 100))));
    values[70_001] = { at: start + 70_001 * minute, value: "2000" };
    values[140_001] = { at: start + 140_001 * minute, value: "1000" };
    const svg = svgOf(chartOf(values));
    const heights = linesOf(svg).flatMap((line) => line.map(([, y]) => y));
    expect(svg.length).toBeLessThan(100_000);
    expect([Math.min(...heights), Math.max(...heights)]).toEqual([112, 472]);
  });

  it("stay few where every second one is unknown", () => {
    const svg = svgOf(chartOf(minutes(Array.from({ length: 100_001 }, (_, n) => (n % 2 === 0 ? "1" : null)))));
    expect(svg.length).toBeLessThan(500_000);
    expect(gapsOf(svg)).toHaveLength(1);
  });

  it("keep the extremes of every column of pixels, with any unknown values between them", () => {
    const value = fc.option(fc.integer({ min: -50, max: 50 }), { freq: 4 });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 200 }), fc.integer({ min: 1, max: 60 }), (values, perColumn) => {
        const marks = values.map((value, at) => ({ at, value }));
        const columnOf = (at: number) => Math.floor(at / perColumn);
        const drawn = piecesOf(marks, columnOf).flat();
        expect(extremes(drawn, columnOf)).toEqual(extremes(marks, columnOf));
        expect(drawn.length).toBeLessThanOrEqual(12 * Math.ceil(values.length / perColumn));
      }),
    );
  });
});

function extremes(marks: { at: number; value: number | null }[], columnOf: (at: number) => number) {
  const columns = new Map<number, number[]>();
  for (const { at, value } of marks) {
    if (value !== null) columns.set(columnOf(at), [...(columns.get(columnOf(at)) ?? []), value]);
  }
  return [...columns].map(([column, values]) => [column, Math.min(...values), Math.max(...values)]);
}

describe("values", () => {
  it("have round ticks", () => {
    expect(valueLabels(svgOf(chartOf(minutes(["-3.7", "12345.6789"]))))).toEqual([
      "-2,000",
      "0",
      "2,000",
      "4,000",
      "6,000",
      "8,000",
      "10,000",
      "12,000",
      "14,000",
    ]);
  });

  it("that differ only in the twentieth digit are distinguishable, also on the axis", () => {
    const svg = svgOf(chartOf(minutes(["123456789012.00000001", "123456789012.00000003", "123456789012.00000002"])));
    expect(linesOf(svg)[0]?.map(([, y]) => y)).toEqual([472, 112, 292]);
    expect(valueLabels(svg)).toEqual([
      "123,456,789,012.000000010",
      "123,456,789,012.000000015",
      "123,456,789,012.000000020",
      "123,456,789,012.000000025",
      "123,456,789,012.000000030",
    ]);
  });

  it("end with the last known one, digit for digit", () => {
    const svg = svgOf(chartOf(minutes(["1", "98765432109876543210.12345678900", null])));
    expect(textsOf(svg)).toContain("main: 98765432109876543210.12345678900 USDT at 2026-11-01 00:01");
  });

  it("that never change are drawn in the middle", () => {
    expect(linesOf(svgOf(chartOf(minutes(["100", "100"]))))[0]?.map(([, y]) => y)).toEqual([292, 292]);
  });

  it("outside the span are omitted", () => {
    const svg = svgOf(chartOf(minutes(["1", "2", "3", "900"]), { to: start + 2 * minute }));
    expect(textsOf(svg)).toContain("main: 3 USDT at 2026-11-01 00:02");
  });
});

describe("times", () => {
  it("are those of the time zone, on a day of 23 hours too", () => {
    const [from, to] = [Date.parse("2026-03-08T05:00:00Z"), Date.parse("2026-03-09T04:00:00Z")];
    const svg = svgOf(chartOf([{ at: from, value: "1" }], { timezone: "America/New_York", from, to }));
    expect(textsOf(svg)).toContain("USDT, 2026-03-08 00:00 to 2026-03-09 00:00, America/New_York");
    expect(timeLabels(svg)).toEqual(["8 Mar", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "9 Mar"]);
  });

  it("of a year are its months", () => {
    const svg = svgOf(chartOf([{ at: start, value: "1" }], { to: start + 180 * day }));
    expect(timeLabels(svg)).toEqual(["Nov", "Dec", "2027", "Feb", "Mar", "Apr"]);
  });

  it("of an unknown time zone are refused", () => {
    expect(() => svgOf(chartOf([], { timezone: "Europe/Berln" }))).toThrow(RangeError);
  });
});

describe("a picture", () => {
  it("shows no data without values", () => {
    const svg = svgOf(chartOf([]));
    expect(textsOf(svg)).toEqual(expect.arrayContaining(["main: no data", "no data"]));
    expect(gapsOf(svg)).toHaveLength(1);
    expect(valueLabels(svg)).toEqual([]);
  });

  it("escapes names", () => {
    const lines = [{ name: `</text><script>"&\u0007`, points: minutes(["1", "2"]) }];
    const svg = svgOf(chartOf([], { to: start + minute, lines }));
    expect(svg).not.toContain("<script");
    expect(textsOf(svg)).toContain("&lt;/text&gt;&lt;script&gt;&quot;&amp;\\u0007: 2 USDT at 2026-11-01 00:01");
  });

  it("has a description in words", () => {
    const svg = svgOf(chartOf(minutes(["1", "2"])));
    expect(svg).toContain("<title>Equity</title>");
    expect(svg).toContain(
      "<desc>USDT, 2026-11-01 00:00 to 2026-11-01 00:01, UTC; main: 2 USDT at 2026-11-01 00:01</desc>",
    );
  });

  it("becomes a PNG of the same size", () => {
    const png = pngOf(svgOf(chartOf(minutes(["1", "2"]))));
    expect(png.subarray(0, 8).toString("hex")).toBe("89504e470d0a1a0a");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1200, 512]);
  });

  it("has its text in the PNG on a machine without fonts", () => {
    const words = (title: string) => pngOf(svgOf(chartOf(minutes(["1", "2"]), { title })));
    expect(words("Equity").equals(words(""))).toBe(false);
  });
});
