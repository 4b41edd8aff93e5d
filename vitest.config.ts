import { configDefaults, defineConfig } from "vitest/config";
import { separate } from "./vitest.faults.config.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // What needs real time, much time or a build of its own: `npm run test:faults`.
    exclude: [...configDefaults.exclude, ...separate],
    globalSetup: ["memory-folder", "build", "postgres", "made-once"].map((name) => `test/support/${name}.ts`),
    // A safety net for what hangs, wide enough for a machine that is busy with something else.
    testTimeout: 600_000,
    hookTimeout: 1_200_000,
    expect: { poll: { timeout: 600_000 } },
    // More than cores, because many tests wait for processes that they start.
    maxWorkers: 5,
    // The modules of a worker are loaded once; no test leaves anything behind in them.
    isolate: false,
  },
});
