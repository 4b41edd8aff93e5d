/** Runs what computes for long, and what needs a browser: `npm run test:long`, which `.ci/run` runs, too. */
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const inFolder = (folder: string, ...names: string[]) => names.map((name) => `test/${folder}/${name}.test.ts`);

/** Each is seconds of computing. Something smaller of the same subject belongs to `npm test`. */
export const long = [
  ...inFolder("browser", "accessibility", "charts", "header", "pages", "positions"),
  ...inFolder("collecting", "related-rows"),
  ...inFolder("collecting/incremental", "tax-records"),
  ...inFolder("commands", "accounts"),
  ...inFolder("commands/accounts", "retire"),
  ...inFolder("commands/db", "replay"),
  ...inFolder("commands/read", "export", "sql"),
  ...inFolder("commands/shared", "pager"),
  ...inFolder("output", "export"),
  ...inFolder("reports", "daily", "ledger", "ledger-records", "pnl", "returns"),
  ...inFolder("repository", "cookbook", "release"),
  ...inFolder("scenarios", "backup", "commands", "lifecycle", "month", "new-dataset", "sub-path"),
  ...inFolder("scenarios/alerts", "drawdown", "other-rules", "path"),
  ...inFolder("scenarios/export", "damage", "round-trip"),
  ...inFolder("scenarios/postgres", "commands"),
  ...inFolder("scenarios/store", "audit", "size", "views-in-sqlite"),
  ...inFolder("simulator", "ledger"),
  ...inFolder("simulator/account", "simulate-account"),
  ...inFolder("store/chain", "chain"),
  ...inFolder("store/ledger", "life", "reconcile", "rules", "soundness", "upgrade"),
  ...inFolder("store/positions", "episodes", "results"),
  ...inFolder("store/postgres", "ledger", "mirror", "recorded-ledger", "same-history", "ship"),
  ...inFolder("store/responses", "correct", "replay"),
  ...inFolder("store/retention", "prune"),
  ...inFolder("store/snapshots", "snapshot-writer"),
  ...inFolder("store/sqlite", "write-queue"),
  ...inFolder("store/verify", "ledger"),
  ...inFolder("web", "performance"),
  ...inFolder("web/curves", "joint-profit"),
];

/** What takes longest, by far. */
const longest = ["new-dataset", "accessibility", "month", "browser/pages", "soundness", "scenarios/commands", "header"];

/** Begins with what takes longest, so that no core waits for it at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => longest.some((name) => moduleId.endsWith(`${name}.test.ts`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** What both suites that run several files at once have in common. */
export const parallel = {
  globalSetup: ["memory-folder", "build", "postgres", "made-once"].map((name) => `test/support/${name}.ts`),
  // A safety net for what hangs, wide enough for a machine that is busy with something else.
  testTimeout: 600_000,
  hookTimeout: 1_200_000,
  expect: { poll: { timeout: 600_000 } },
  // More than cores, because many tests wait for processes that they start.
  maxWorkers: 4,
  // The modules of a worker are loaded once; no test leaves anything behind in them.
  isolate: false,
};

export default defineConfig({ test: { ...parallel, include: long, sequence: { sequencer: LongestFirst } } });
