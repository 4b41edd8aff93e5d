import { expect, it } from "vitest";

interface Described {
  from: number;
  to: number;
  at: number[];
  lines: { name: string; label: string; kind: string; values: (string | null)[] }[];
}

const path: string = "../../../src/web/assets/chart/curve.js";
const { wordsOf } = (await import(path)) as {
  wordsOf(curve: Described, timeText: (at: number) => string, isExact: boolean): string;
};

it("describes a curve with the times of its first and its last known value, which may be within the span", () => {
  const lines = [{ name: "total", label: "Total", kind: "money", values: ["1", "5", "2.5", null] }];
  const curve = { from: 0, to: 100, at: [10, 20, 80, 90], lines };
  expect(wordsOf(curve, (at) => `t${at}`, false)).toMatch(
    /^t10 to t80: from 1\.00 to 2\.50; lowest 1\.00 \(t10\), highest 5\.00 \(t20\)\. 1 gap/,
  );
  expect(wordsOf({ ...curve, at: [], lines: [] }, (at) => `t${at}`, false)).toBe("t0 to t100: no data.");
});
