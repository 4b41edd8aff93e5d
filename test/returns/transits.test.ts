import { expect, it } from "vitest";
import { Transits } from "../../src/returns/transits.ts";

it("sums up what is under way at each instant: from the first entry on, until the second one", () => {
  const transits = new Transits([
    { from: 20, to: 60, usdt: "0.2" },
    { from: 10, to: 90, usdt: "1.00000001" },
    { from: 30, to: 40, usdt: "-5" },
    { from: 70, to: 80, usdt: null },
  ]);
  const instants = [9, 10, 20, 30, 40, 59, 60, 70, 80, 89, 90];
  expect(instants.map((at) => transits.usdtAt(at))).toEqual([
    ...["0", "1.00000001", "1.20000001", "-3.79999999", "1.20000001", "1.20000001", "1.00000001"],
    ...[null, "1.00000001", "1.00000001", "0"],
  ]);
});
