import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { onceAborted } from "../../../src/core/async/abort.ts";

it("calls each waiting action once, with one listener on the signal", () => {
  const controller = new AbortController();
  const called: string[] = [];
  onceAborted(controller.signal, () => called.push("first"));
  const callOff = onceAborted(controller.signal, () => called.push("second"));
  onceAborted(controller.signal, () => called.push("third"));
  callOff();

  expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
  controller.abort();
  controller.abort();
  onceAborted(controller.signal, () => called.push("late"));

  expect(called).toEqual(["first", "third", "late"]);
});

it("removes its listener when no action waits any more", () => {
  const { signal } = new AbortController();
  const callOff = [1, 2, 3].map(() => onceAborted(signal, () => {}));
  for (const one of callOff) one();

  expect(getEventListeners(signal, "abort")).toEqual([]);
});
