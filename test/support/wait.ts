import { setTimeout } from "node:timers/promises";

export const seconds = (count: number): Promise<void> => setTimeout(count * 1000);

/** Resolves when the condition holds, checked every 5 ms; without end otherwise, so the test's timeout applies. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(5);
}
