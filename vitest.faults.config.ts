/** What lives in real time, the rows of the fault matrix above all: one file after the other, few rows at once. */
import { defineConfig } from "vitest/config";

export const realTime = [
  ...["exchange", "process", "storage", "configuration", "surfaces"].map((name) => `test/faults/${name}.test.ts`),
  "test/scenarios/limits.test.ts",
];

export default defineConfig({
  test: {
    include: realTime,
    globalSetup: "test/support/build.ts",
    fileParallelism: false,
    maxConcurrency: 3,
    isolate: false,
  },
});
