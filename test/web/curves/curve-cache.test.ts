import { expect, it } from "vitest";
import { CurveCache, type Summary } from "../../../src/web/curves/curve-cache.ts";

const summary = (size: number): Summary => ({ mark: { file: "file", link: 1 }, hours: [], size });

it("evicts the least recently used curves when all together are too large", () => {
  const cache = new CurveCache({ curves: 24, points: 1000 });
  for (const name of ["first", "second"]) cache.set(name, summary(400));
  const first = cache.get("first") ?? summary(0);
  cache.set("first", first);
  cache.set("third", summary(400));
  expect(["first", "second", "third"].map((name) => cache.get(name)?.size)).toEqual([400, undefined, 400]);
  expect(cache.get("first")).toBe(first);
});

it("keeps a curve that exceeds the capacity alone", () => {
  const cache = new CurveCache({ curves: 24, points: 1000 });
  cache.set("small", summary(10));
  cache.set("large", summary(5000));
  expect(["small", "large"].map((name) => cache.get(name)?.size)).toEqual([undefined, 5000]);
  expect(cache.isHalfEmpty()).toBe(false);
});

it("limits the number of curves", () => {
  const cache = new CurveCache({ curves: 2, points: 1000 });
  for (const name of ["first", "second", "third"]) cache.set(name, summary(1));
  expect(["first", "second", "third"].map((name) => cache.get(name)?.size)).toEqual([undefined, 1, 1]);
  expect(cache.isHalfEmpty()).toBe(true);
});
