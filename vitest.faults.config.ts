/** Runs the tests that need real time, above all the fault matrix and PostgreSQL with the real program: one file after the other, few rows at once. */
import { defineConfig } from "vitest/config";

/** Minutes of computing each. A day of such a ledger, and a month of such a profit, belong to `npm run test:long`. */
const long = ["test/scenarios/ledger-life.test.ts", "test/reports/pnl-year.test.ts"];

export const separate = [
  ...["exchange", "process", "storage", "configuration", "surfaces", "machines"].map(
    (name) => `test/faults/${name}.test.ts`,
  ),
  ...["daemon", "demo", "frozen", "limits"].map((name) => `test/scenarios/${name}.test.ts`),
  "test/web/process/process.test.ts",
  ...long,
  ...["demo", "ledger", "machines", "mirror", "ship"].map((name) => `test/scenarios/postgres/${name}.test.ts`),
];

export default defineConfig({
  test: {
    include: separate,
    // Not in every run: `npm run test:faults -- every`.
    exclude: process.env.FAULTS === "every" ? long : [],
    globalSetup: ["build", "postgres", "made-once"].map((name) => `test/support/${name}.ts`),
    fileParallelism: false,
    // A limit for what hangs; rows of the matrix have limits of their own.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 600_000 } },
    maxConcurrency: 3,
    isolate: false,
  },
});
