import { configDefaults, defineConfig } from "vitest/config";
import { separate } from "./vitest.faults.config.ts";
import { long, parallel } from "./vitest.long.config.ts";

/** A file whose path is an argument is run in any case. */
const isNamed = (file: string) => process.argv.some((argument) => argument.endsWith(file));

export default defineConfig({
  test: {
    ...parallel,
    include: ["test/**/*.test.ts"],
    // What computes for long: `npm run test:long`. What needs real time: `npm run test:faults`.
    exclude: [...configDefaults.exclude, ...separate, ...long.filter((file) => !isNamed(file))],
  },
});
