/**
 * Builds the program once before the tests, because some of them start it as a child process. `npm run types` is what checks types,
 * which takes four times as long as the build without it.
 */
import { execFileSync } from "node:child_process";

export function setup(): void {
  if (process.env.BUILT) return;
  execFileSync("npx", ["tsc", "-p", "tsconfig.build.json", "--noCheck"], { stdio: "inherit" });
  execFileSync(process.execPath, ["scripts/after-build.js"], { stdio: "inherit" });
}
