import { statSync } from "node:fs";
import { UsageError } from "../../core/errors.ts";
import { datasets } from "../../datasets/index.ts";
import { loadConfig } from "../../settings/config.ts";
import { compact, type Pruned, prune, type Remaining, remaining } from "../../store/retention/prune.ts";
import { lockDatabase } from "../../store/sqlite/lock.ts";
import type { Command } from "../command.ts";
import { parseInstant } from "../shared/instant.ts";
import { startTerminalBar } from "../shared/progress.ts";

export const dbPrune: Command = {
  examples: ["db prune --before -90d", "db prune --before 2026-01", "db prune --before 2026-01-01 --compact"],
  details: [
    "Prunes whole UTC days that ended before the given time (2026-11-01, -90d), in small steps; the daemon may keep running.",
    "It can be interrupted at any time and continues the next time. Deleted snapshots cannot be recovered: make a backup first.",
  ],
  options: [
    { flags: "--before <time>", summary: "prune days that ended before this time (required)" },
    {
      flags: "--compact",
      summary: "shrink the file afterwards; needs a stopped daemon and disk space for a copy",
    },
  ],
  onPostgres: {
    instead: "Prune the SQLite history that is copied there; one that was recorded into PostgreSQL is kept in full.",
  },
  async run({ options, env, print }) {
    const { databasePath } = loadConfig(env, { credentials: false });
    const before = beforeOf(options.before);
    // Locks first, so that nothing is pruned if --compact is impossible because a daemon is running.
    const lock = options.compact === true ? lockDatabase(databasePath) : null;
    const bar = startTerminalBar("pruning", "snapshots");
    try {
      const pruned = await prune(databasePath, datasets, before, bar.update);
      bar.stop();
      if (lock) compact(databasePath);
      for (const line of summaryLines(pruned, remaining(databasePath, before), before)) print(line);
      if (lock) print(`${databasePath} now has ${statSync(databasePath).size} bytes`);
      return 0;
    } finally {
      bar.stop();
      lock?.release();
    }
  },
};

/** Returns the value of --before in epoch ms. @throws UsageError if it is missing, invalid or in the future */
function beforeOf(text: unknown): number {
  if (typeof text !== "string") throw new UsageError("--before is required, as in: db prune --before -90d");
  const now = Date.now();
  const before = parseInstant("--before", text, now);
  if (before > now) throw new UsageError(`--before "${text}" is in the future; only past days can be pruned`);
  return before;
}

function summaryLines(pruned: Pruned, left: Remaining, before: number): string[] {
  const end = new Date(before).toISOString().slice(0, 10);
  const days = pruned.days === 1 ? "1 day" : `${pruned.days} days`;
  return [
    pruned.days === 0
      ? `nothing to prune before ${end}`
      : `pruned ${days} before ${end}: ${pruned.snapshots} snapshots with ${pruned.rows} rows`,
    `kept of that time: ${left.runs} runs, ${left.good} good and ${left.failed} failed snapshots, ${left.ranges} daily ranges`,
    `${left.freeBytes} bytes of the file are free and will be reused`,
  ];
}
