import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/build.ts",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 4,
    // The modules of a worker are loaded once; no test leaves anything behind in them.
    isolate: false,
  },
});
