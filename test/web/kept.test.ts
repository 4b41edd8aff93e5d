import { expect, it } from "vitest";
import { createKept } from "../../src/web/curves/curve-cache.ts";

it("lets go of the curves that nobody asked for longest where all together are too large", () => {
  const kept = createKept({ curves: 24, points: 1000 });
  for (const name of ["first", "second", "third"]) kept.of(name, "file").size = 400;
  const first = kept.of("first", "file");
  kept.makeRoom(first);
  expect(kept.of("second", "file").size).toBe(0);
  expect(kept.of("third", "file").size).toBe(400);
  expect(kept.of("first", "file")).toBe(first);
});

it("keeps one alone that is larger than all the room", () => {
  const kept = createKept({ curves: 24, points: 1000 });
  kept.of("small", "file").size = 10;
  const large = kept.of("large", "file");
  large.size = 5000;
  kept.makeRoom(large);
  expect(kept.of("large", "file")).toBe(large);
  expect(kept.of("small", "file").size).toBe(0);
  expect(kept.isHalfEmpty()).toBe(false);
});

it("keeps so many curves, and none of another file", () => {
  const kept = createKept({ curves: 2, points: 1000 });
  for (const name of ["first", "second", "third"]) {
    const summary = kept.of(name, "file");
    summary.size = 1;
    kept.makeRoom(summary);
  }
  expect(kept.of("third", "another file").size).toBe(0);
  expect(kept.of("second", "file").size).toBe(1);
  expect(kept.of("first", "file").size).toBe(0);
});
