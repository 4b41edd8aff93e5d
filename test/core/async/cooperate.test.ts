import { expect, it } from "vitest";
import {
  cooperate,
  nextPiece,
  type Paced,
  pause,
  runToEnd,
  type Steps,
  within,
} from "../../../src/core/async/cooperate.ts";

/** Notes each of its steps, and that it was closed. */
function* counting(steps: number, seen: string[]): Steps<string> {
  try {
    for (let step = 1; step <= steps; step += 1) {
      seen.push(`step ${step}`);
      yield pause;
    }
    return "done";
  } finally {
    seen.push("closed");
  }
}

/** Notes each turn of the event loop from now on. */
function watchTurns(seen: string[], turns: number): void {
  if (turns > 0)
    setImmediate(() => {
      seen.push("turn");
      watchTurns(seen, turns - 1);
    });
}

it("runs work to its end at once", () => {
  const seen: string[] = [];
  expect(runToEnd(counting(2, seen))).toBe("done");
  expect(seen).toEqual(["step 1", "step 2", "closed"]);
});

it("yields to the event loop at a pause after the work had its time", async () => {
  const seen: string[] = [];
  watchTurns(seen, 2);
  expect(await cooperate(counting(3, seen), { turnMs: 0 })).toBe("done");
  expect(seen).toEqual(["step 1", "turn", "step 2", "turn", "step 3", "closed"]);
});

it("continues without yielding while the work has time", async () => {
  const seen: string[] = [];
  watchTurns(seen, 1);
  await cooperate(counting(3, seen), { turnMs: Number.POSITIVE_INFINITY });
  expect(seen).toEqual(["step 1", "step 2", "step 3", "closed"]);
});

it("waits for the callback before it continues", async () => {
  const seen: string[] = [];
  const onTurn = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push("after");
  };
  await cooperate(counting(2, seen), { turnMs: 0, onTurn });
  expect(seen).toEqual(["step 1", "after", "step 2", "after", "closed"]);
});

it.each([
  [2, "done", ["step 1", "step 2", "closed"]],
  [1, undefined, ["step 1", "step 2", "closed"]],
  [0, undefined, ["step 1", "closed"]],
])("stops and closes work that has more than %i pauses", (pauses, result, steps) => {
  const seen: string[] = [];
  expect(runToEnd(within(counting(2, seen), pauses))).toBe(result);
  expect(seen).toEqual(steps);
});

it("ends and closes the work if the callback throws", async () => {
  const seen: string[] = [];
  const onTurn = () => {
    if (seen.length === 2) throw new Error("too late");
  };
  await expect(cooperate(counting(9, seen), { turnMs: 0, onTurn })).rejects.toThrow("too late");
  expect(seen).toEqual(["step 1", "step 2", "closed"]);
});

it("joins texts to pieces of at least a size, without the pauses", () => {
  function* texts(): Paced<string> {
    for (const text of ["abc", pause, "de", "f", "ghi", "j"] as const) yield text;
  }
  const all = texts();
  expect([1, 2, 3, 4].map(() => runToEnd(nextPiece(all, 4)))).toEqual(["abcde", "fghi", "j", ""]);
});
