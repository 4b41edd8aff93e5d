import { expect, it } from "vitest";

type Theme = "light" | "dark";
type Vector = readonly [number, number, number];

const path: string = "../../../src/web/assets/chart/palette.js";
const { palette, dashes, meanings } = (await import(path)) as {
  palette: Record<Theme, Record<string, string>>;
  meanings: Record<Theme, { danger: string; gain: string }>;
  dashes: Record<string, number[]>;
};

/** Simulations of complete colour blindness, for linear RGB (Machado, Oliveira, Fernandes 2009). */
const simulations: Record<string, readonly Vector[]> = {
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
};

const toXyz: readonly Vector[] = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];

const applied = (matrix: readonly Vector[], [a, b, c]: Vector): Vector =>
  matrix.map(([x, y, z]) => x * a + y * b + z * c) as unknown as Vector;

function linear(hex: string): Vector {
  const part = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

function lab(color: Vector): Vector {
  const limited = color.map((part) => Math.min(1, Math.max(0, part))) as unknown as Vector;
  const white: Vector = [0.95047, 1, 1.08883];
  const [x, y, z] = applied(toXyz, limited).map((value, at) => {
    const share = value / (white[at] ?? 1);
    return share > 0.008856 ? Math.cbrt(share) : 7.787 * share + 16 / 116;
  }) as unknown as Vector;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const degrees = (radians: number) => (radians * 180) / Math.PI;
const cosine = (angle: number) => Math.cos((angle * Math.PI) / 180);

/** The difference of two colours by CIEDE2000. */
function deltaE([l1, a, b1]: Vector, [l2, c, b2]: Vector): number {
  const mean = (Math.hypot(a, b1) + Math.hypot(c, b2)) / 2;
  const stretch = 1 + 0.5 * (1 - Math.sqrt(mean ** 7 / (mean ** 7 + 25 ** 7)));
  const [a1, a2] = [a * stretch, c * stretch];
  const [c1, c2] = [Math.hypot(a1, b1), Math.hypot(a2, b2)];
  const [h1, h2] = [(degrees(Math.atan2(b1, a1)) + 360) % 360, (degrees(Math.atan2(b2, a2)) + 360) % 360];
  const turn = h2 - h1;
  const dh = turn > 180 ? turn - 360 : turn < -180 ? turn + 360 : turn;
  const dH = 2 * Math.sqrt(c1 * c2) * Math.sin(((dh / 2) * Math.PI) / 180);
  const [l, chroma, both] = [(l1 + l2) / 2, (c1 + c2) / 2, h1 + h2];
  const hue = Math.abs(turn) <= 180 ? both / 2 : (both + (both < 360 ? 360 : -360)) / 2;
  const t =
    1 - 0.17 * cosine(hue - 30) + 0.24 * cosine(2 * hue) + 0.32 * cosine(3 * hue + 6) - 0.2 * cosine(4 * hue - 63);
  const sl = 1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2);
  const [sc, sh] = [1 + 0.045 * chroma, 1 + 0.015 * chroma * t];
  const rotation =
    -2 *
    Math.sqrt(chroma ** 7 / (chroma ** 7 + 25 ** 7)) *
    Math.sin((60 * Math.exp(-(((hue - 275) / 25) ** 2)) * Math.PI) / 180);
  const [dl, dc, dhue] = [(l2 - l1) / sl, (c2 - c1) / sc, dH / sh];
  return Math.sqrt(dl ** 2 + dc ** 2 + dhue ** 2 + rotation * dc * dhue);
}

const luminance = (hex: string) => applied(toXyz, linear(hex))[1];
const contrast = (one: string, other: string) => {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
};

it("computes the published difference of two colours", () => {
  expect(deltaE([50, 2.6772, -79.7751], [50, 0, -82.7485])).toBeCloseTo(2.0425, 4);
  expect(deltaE([22.7233, 20.0904, -46.694], [23.0331, 14.973, -42.5619])).toBeCloseTo(2.0373, 4);
});

it.each(["light", "dark"] as const)("has lines that differ clearly with every colour vision (%s)", (theme) => {
  const colors = Object.entries(palette[theme]);
  for (const [name, matrix] of [["normal", null], ...Object.entries(simulations)] as const)
    for (const [at, [one, first]] of colors.entries())
      for (const [other, second] of colors.slice(at + 1)) {
        const [a, b] = [first, second].map((hex) => lab(matrix ? applied(matrix, linear(hex)) : linear(hex)));
        expect(deltaE(a as Vector, b as Vector), `${one} and ${other}, ${name}`).toBeGreaterThanOrEqual(20);
      }
});

it.each(["light", "dark"] as const)("has a liquidation line that differs from the lines beside it (%s)", (theme) => {
  for (const [name, matrix] of [["normal", null], ...Object.entries(simulations)] as const)
    for (const slot of ["main", "first", "second"]) {
      const seen = [meanings[theme].danger, palette[theme][slot] ?? ""].map((hex) =>
        lab(matrix ? applied(matrix, linear(hex)) : linear(hex)),
      );
      expect(deltaE(seen[0] as Vector, seen[1] as Vector), `${slot}, ${name}`).toBeGreaterThanOrEqual(20);
    }
});

it("has lines that stand out from the page, each with a dash pattern of its own", () => {
  for (const [theme, card] of [
    ["light", "#ffffff"],
    ["dark", "#1b1e23"],
  ] as const)
    for (const color of [...Object.values(palette[theme]), ...Object.values(meanings[theme])])
      expect(contrast(color, card)).toBeGreaterThanOrEqual(3);
  const patterns = Object.values(dashes).map(String);
  expect(new Set(patterns).size).toBe(patterns.length);
});
