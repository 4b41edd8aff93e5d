/** Runs the tests that need real time, much time or a build of their own, above all the fault matrix and PostgreSQL with the real program: one file after the other, few rows at once. */
import { defineConfig } from "vitest/config";

export const separate = [
  ...["exchange", "process", "storage", "configuration", "surfaces", "machines"].map(
    (name) => `test/faults/${name}.test.ts`,
  ),
  ...["daemon", "frozen", "limits", "new-dataset", "ledger-life"].map((name) => `test/scenarios/${name}.test.ts`),
  "test/web/process/process.test.ts",
  "test/reports/pnl-year.test.ts",
  "test/store/positions/results.test.ts",
  "test/store/verify/ledger.test.ts",
  "test/scenarios/postgres/*.test.ts",
];

export default defineConfig({
  test: {
    include: separate,
    globalSetup: ["test/support/build.ts", "test/support/postgres.ts"],
    fileParallelism: false,
    // A limit for what hangs; rows of the matrix have limits of their own.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxConcurrency: 3,
    isolate: false,
  },
});
