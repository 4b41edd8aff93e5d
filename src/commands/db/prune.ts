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
  examples: ["db prune --before -90d", "db prune --before 2026-01-01 --compact"],
  details: [
    "Prunes whole UTC days that were over at that instant (2026-11-01, -90d), in small steps while the daemon goes on collecting.",
    "It may be stopped at any moment and continues the next time. Deleted detail cannot be recovered: make a backup first.",
  ],
  options: [
    { flags: "--before <instant>", summary: "prune days that were over at this instant (required)" },
    {
      flags: "--compact",
      summary: "shrink the file afterwards; no daemon may be using it, and the disk needs room for a copy",
    },
  ],
  async run({ options, env, print }) {
    const { databasePath } = loadConfig(env, { credentials: false });
    const before = beforeOf(options.before);
    // Asked for first, so that nothing is half done when a daemon has it.
    const lock = options.compact === true ? lockDatabase(databasePath) : null;
    const bar = startTerminalBar("pruning", "snapshots");
    try {
      const gone = await prune(databasePath, datasets, before, bar.update);
      bar.stop();
      if (lock) compact(databasePath);
      for (const line of inWords(gone, remaining(databasePath, before), before)) print(line);
      if (lock) print(`${databasePath} has ${statSync(databasePath).size} bytes now`);
      return 0;
    } finally {
      bar.stop();
      lock?.release();
    }
  },
};

function beforeOf(text: unknown): number {
  if (typeof text !== "string") throw new UsageError("say before when: db prune --before -90d");
  const now = Date.now();
  const before = parseInstant("--before", text, now);
  if (before > now) throw new UsageError(`--before "${text}" is in the future; only what is over can be pruned`);
  return before;
}

function inWords(gone: Pruned, left: Remaining, before: number): string[] {
  const end = new Date(before).toISOString().slice(0, 10);
  const days = gone.days === 1 ? "1 day" : `${gone.days} days`;
  return [
    gone.days === 0
      ? `nothing to prune before ${end}`
      : `gone from ${days} before ${end}: ${gone.snapshots} snapshots with ${gone.rows} rows`,
    `left of that time: ${left.runs} runs, ${left.good} good and ${left.failed} failed snapshots, ${left.ranges} daily ranges`,
    `${left.freeBytes} bytes of the file are free and used again as it grows`,
  ];
}
