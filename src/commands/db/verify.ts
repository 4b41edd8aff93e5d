import { StorageError } from "../../core/errors.ts";
import { datasets } from "../../datasets/index.ts";
import { loadConfig } from "../../settings/config.ts";
import { type Verification, verify } from "../../store/verify/verify.ts";
import type { Command } from "../command.ts";
import { startTerminalBar } from "../shared/progress.ts";

export const dbVerify: Command = {
  examples: ["db verify"],
  details: [
    "The last line is the head of the chain. Keep a copy elsewhere: while the table `link` contains it, nothing before it",
    "was altered, removed or inserted.",
  ],
  async run({ env, print }) {
    const { databasePath } = loadConfig(env, { credentials: false });
    const found = await verifyWithBar(databasePath);
    for (const problem of found.problems) print(problem);
    const verdict = found.problems.length === 0 ? "all as received" : "NOT as received";
    print(`${found.snapshots} snapshots of ${found.runs} runs verified: ${verdict}`);
    if (found.pruned > 0) print(`${found.pruned} more were pruned; their digests are in the chain`);
    if (found.corrected > 0)
      print(`${found.corrected} corrections were made by db replay; the chain keeps the digests of before`);
    print(`${found.due} slots were due by the schedules, ${found.accounted} of them are accounted for`);
    print(`head of the chain: ${found.head}`);
    return found.problems.length === 0 ? 0 : 1;
  },
};

/** Verifies with a bar on a terminal. */
export async function verifyWithBar(path: string): Promise<Verification> {
  const bar = startTerminalBar("verifying", "links and snapshots");
  try {
    return await verify(path, datasets, bar.update);
  } finally {
    bar.stop();
  }
}

/** Throws a StorageError with the first problem where `copy`, made of `original`, is not as received. */
export async function requireVerified(copy: string, original: string): Promise<void> {
  const { problems } = await verifyWithBar(copy);
  if (problems.length === 0) return;
  throw new StorageError(`${original} is not as received, and was not copied: ${problems[0]}. Use an older backup.`);
}
