/** Writes every generated part of the documentation: `npm run docs`. `test/repository/docs.test.ts` fails if this would change a file. */
import { writeFileSync } from "node:fs";
import { generatedFiles } from "./generate.ts";

for (const [path, { before, after }] of await generatedFiles()) {
  if (before === after) continue;
  writeFileSync(path, after);
  console.log(`updated ${path}`);
}
