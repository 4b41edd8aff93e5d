// npm run test:faults [-- every | E7 S3]: runs the fault matrix and prints it row by row: all rows, those that belong to every run
// of `.ci/run`, or the given rows.
import { spawnSync } from "node:child_process";

const files = { E: "exchange", T: "process", S: "storage", C: "configuration", U: "surfaces", M: "machines" };
const words = process.argv.slice(2);
const wanted = words.length === 0 ? "all" : words.join(",");
const isWhole = ["all", "every"].includes(wanted);
const odd = isWhole ? undefined : words.find((id) => !/^[ETSCUM]\d+$/.test(id));
if (odd) {
  console.error(`${odd} is not a row; use rows such as E7 or S3, or "every" for those that belong to every run`);
  process.exit(64);
}
const letters = [...new Set(words.map((id) => id[0]))];
const { status } = spawnSync(
  "npx",
  [
    "vitest",
    "run",
    "--config=vitest.faults.config.ts",
    "--reporter=./test/faults/table.ts",
    // Of all rows and of those of every run, also the tests beside the matrix: what the configuration includes.
    ...(isWhole ? [] : letters.map((letter) => `test/faults/${files[letter]}.test.ts`)),
  ],
  { stdio: "inherit", env: { ...process.env, FAULTS: wanted } },
);
process.exit(status ?? 1);
