import { expect, it } from "vitest";
import { Batch } from "../../../src/core/async/batch.ts";

it("answers what was asked in one turn together, and what is asked later in the next batch", async () => {
  const batches: number[][] = [];
  const batch = new Batch(async (numbers: readonly number[]) => {
    batches.push([...numbers]);
    return numbers.map((one) => one * 2);
  });
  expect(await Promise.all([1, 2, 3].map((one) => batch.ask(one)))).toEqual([2, 4, 6]);
  const late = batch.ask(4).then(() => batch.ask(5));
  expect(await Promise.all([late, batch.ask(6)])).toEqual([10, 12]);
  expect(batches).toEqual([[1, 2, 3], [4, 6], [5]]);
});

it("a batch that fails rejects its own questions, not those of the next one", async () => {
  const batch = new Batch(async (numbers: readonly number[]) => {
    if (numbers.includes(0)) throw new Error("no answer");
    return numbers;
  });
  const settled = await Promise.allSettled([batch.ask(0), batch.ask(1)]);
  expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await batch.ask(1)).toBe(1);
});
