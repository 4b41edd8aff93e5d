/** Tests the description of a curve. */
import { expect, it } from "vitest";

interface Words {
  wordsOf(curve: object, timeText: (at: number) => string, isExact: boolean): string;
}

const path: string = "../../../src/web/assets/chart/curve.js";
const { wordsOf } = (await import(path)) as Words;

const values = ["0", null, "0", null, "0", "5", null, "6"];
const at = values.map((_, index) => index * 10);
const words = (name: string, unknown: { from: number; to: number }[]) =>
  wordsOf(
    {
      ...{ from: 0, to: 70, at, unknown, isPaidKnown: true },
      lines: [{ name, label: name, kind: "money", isStep: false, values }],
    },
    String,
    true,
  );

it("counts gaps without those of a profit of which it says that what was paid in and out is unknown", () => {
  const known = "0 to 70: from 0 to 6; lowest 0 (0), highest 6 (70).";
  expect(words("profit", [{ from: 10, to: 40 }])).toBe(
    `${known} 1 gap (striped grey: no data). Not in it (striped grey): 10 to 40, because what was paid in and out is unknown.`,
  );
  expect(words("total", [{ from: 10, to: 40 }])).toContain(`${known} 3 gaps (striped grey: no data).`);
});
