// Runs the tests and the long tests quietly and returns the result; for scripts that run them under unusual conditions.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

/** Runs all once, through the command in `through` if it is not empty. Returns whether they passed, and lines that report it. */
export function runSuite(through = []) {
  const results = ["vitest.config.ts", "vitest.long.config.ts"].map((config) => run(config, through));
  return { passed: results.every(({ passed }) => passed), lines: results.flatMap(({ lines }) => lines) };
}

function run(config, through) {
  const folder = mkdtempSync(join(tmpdir(), "collector-suite-"));
  const file = join(folder, "result.json");
  try {
    const [command, ...words] = [
      ...through,
      "npx",
      "vitest",
      "run",
      `--config=${config}`,
      "--reporter=json",
      `--outputFile=${file}`,
    ];
    const before = performance.now();
    const { status, stdout, stderr } = spawnSync(command, words, { encoding: "utf8", maxBuffer: 2 ** 30 });
    const result = read(file);
    if (!result) return { passed: false, lines: ["could not be run", stdout, stderr] };
    const failed = result.testResults.flatMap(({ name, message, assertionResults }) => [
      ...(message ? [`${relative(".", name)}: ${message}`] : []),
      ...assertionResults
        .filter(({ status }) => status === "failed")
        .map(({ fullName, failureMessages: [why = ""] }) => `${relative(".", name)}: ${fullName}\n  ${why}`),
    ]);
    const seconds = Math.round((performance.now() - before) / 1000);
    const counts = `${result.numPassedTests} passed, ${result.numFailedTests} failed, ${result.numPendingTests} left out`;
    return { passed: status === 0, lines: [`${counts}, ${seconds} s`, ...failed] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}
