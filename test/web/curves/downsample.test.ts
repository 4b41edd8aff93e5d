import fc from "fast-check";
import { expect, it } from "vitest";
import { createDownsampler, type Point } from "../../../src/web/curves/downsample.ts";

function sampled(points: readonly Point[], columnOf: (at: number) => number, withLosses: number[] = []): Point[] {
  const sampler = createDownsampler<Point>(columnOf, withLosses);
  const kept = points.flatMap((point) => sampler.add(point));
  return [...kept, ...sampler.end()];
}

const point = (at: number, ...values: (string | null)[]): Point => ({ at, values });

it("keeps of a column the first, the lowest, the highest and the last point", () => {
  const points = [
    point(0, "5"),
    point(1, "6"),
    point(2, "9.5"),
    point(3, "7"),
    point(4, "1"),
    point(5, "4"),
    point(6, "6"),
  ];
  expect(sampled(points, () => 0).map(({ at }) => at)).toEqual([0, 2, 4, 6]);
});

it("keeps the points on both sides of a gap in a line", () => {
  const points = [
    point(0, "5"),
    point(1, "5"),
    point(2, "5"),
    point(3, null),
    point(4, "5"),
    point(5, "5"),
    point(6, "5"),
  ];
  expect(sampled(points, () => 0).map(({ at }) => at)).toEqual([0, 2, 3, 4, 6]);
});

it("loses no extreme of any line and no break between columns, whatever the points are", () => {
  const value = fc.option(fc.integer({ min: -50, max: 50 }).map(String));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(value, value), { maxLength: 200 }),
      fc.integer({ min: 1, max: 30 }),
      (rows, width) => {
        const points = rows.map((values, at) => point(at, ...values));
        const columnOf = (at: number) => Math.floor((at * width) / Math.max(1, rows.length));
        const kept = sampled(points, columnOf);
        expect(kept.map(({ at }) => at)).toEqual([...new Set(kept.map(({ at }) => at))].sort((a, b) => a - b));
        for (const line of [0, 1])
          for (let column = 0; column < width; column += 1) {
            const heights = (all: readonly Point[]) =>
              all
                .filter(({ at }) => columnOf(at) === column)
                .flatMap(({ values }) => values[line] ?? [])
                .map(Number);
            expect(Math.max(...heights(kept))).toBe(Math.max(...heights(points)));
            expect(Math.min(...heights(kept))).toBe(Math.min(...heights(points)));
          }
        // No line connects points of different columns that were not connected before.
        for (const [index, { at, values }] of kept.entries()) {
          const next = kept[index + 1];
          if (!next || columnOf(next.at) === columnOf(at) || values[0] === null || next.values[0] === null) continue;
          expect(points.slice(at, next.at).every((one) => one.values[0] !== null)).toBe(true);
        }
      },
    ),
  );
});

it("keeps the largest loss from a peak, also between two extremes of a column and after two samplings", () => {
  const loss = (points: readonly Point[]): number => {
    let [peak, largest] = [0, 0];
    for (const { values } of points) {
      if (values[0] === null) continue;
      peak = Math.max(peak, Number(values[0]));
      largest = Math.max(largest, 1 - Number(values[0]) / peak);
    }
    return largest;
  };
  const heights = ["50", "100", "60", "120"].map((value, at) => point(at, value));
  expect(sampled(heights, () => 0).map(({ at }) => at)).toEqual([0, 3]);
  expect(sampled(heights, () => 0, [0]).map(({ at }) => at)).toEqual([0, 1, 2, 3]);
  const value = fc.option(fc.integer({ min: 1, max: 1000 }).map(String));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 200 }), fc.integer({ min: 1, max: 12 }), (values, width) => {
      const points = values.map((one, at) => point(at, one));
      const hours = sampled(points, (at) => Math.floor(at / 10), [0]);
      const kept = sampled(hours, (at) => Math.floor((at * width) / 200), [0]);
      expect(loss(kept)).toBe(loss(points));
    }),
  );
});
