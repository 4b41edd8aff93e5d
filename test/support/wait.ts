import { setTimeout } from "node:timers/promises";

export const seconds = (count: number): Promise<void> => setTimeout(count * 1000);

/** Resolves when the condition holds, looked at every five milliseconds; the test's own time limit ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(5);
}
