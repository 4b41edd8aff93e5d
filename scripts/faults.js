// npm run test:faults [-- E7 S3]: the fault matrix, all of it or the rows named, printed row by row.
import { spawnSync } from "node:child_process";

const files = { E: "exchange", T: "process", S: "storage", C: "configuration", U: "surfaces" };
const wanted = process.argv.slice(2);
const odd = wanted.find((id) => !/^[ETSCU]\d+$/.test(id));
if (odd) {
  console.error(`${odd} is no row; name rows such as E7 or S3`);
  process.exit(64);
}
const letters = wanted.length === 0 ? Object.keys(files) : [...new Set(wanted.map((id) => id[0]))];
const { status } = spawnSync(
  "npx",
  [
    "vitest",
    "run",
    "--reporter=./test/faults/table.ts",
    ...letters.map((letter) => `test/faults/${files[letter]}.test.ts`),
  ],
  { stdio: "inherit", env: { ...process.env, FAULTS: wanted.join(",") || "all" } },
);
process.exit(status ?? 1);
