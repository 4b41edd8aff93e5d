import { StorageError } from "../../core/errors.ts";
import { datasets } from "../../datasets/index.ts";
import { outdatedRules } from "../../queries/ledger-proof.ts";
import { loadConfig } from "../../settings/config.ts";
import { keepVerification } from "../../store/files/verified-file.ts";
import { type Verification, verify } from "../../store/verify/verify.ts";
import type { Command } from "../command.ts";
import { startTerminalBar } from "../shared/progress.ts";

export const dbVerify: Command = {
  examples: ["db verify", "db verify --json", "db verify > verified.txt"],
  details: [
    "The last line is the chain head. Keep a copy elsewhere: while the table `link` contains it, nothing before it",
    "was altered, removed or inserted. A history that several machines recorded has a chain, and a line, per account.",
  ],
  options: [{ flags: "--json", summary: "print JSON" }],
  onPostgres: "mirror",
  async run({ options, env, print }) {
    const { databasePath } = loadConfig(env, { credentials: false });
    const found = await verifyWithBar(databasePath);
    keepVerification(databasePath, found, Date.now());
    if (options.json) {
      print(JSON.stringify({ schema_version: 1, ok: found.problems.length === 0, ...found }, null, 2));
      return found.problems.length === 0 ? 0 : 1;
    }
    for (const problem of found.problems) print(problem);
    const verdict = found.problems.length === 0 ? "OK, unaltered" : "ALTERED";
    print(`${found.snapshots} snapshots of ${found.runs} runs verified: ${verdict}`);
    if (found.pruned > 0) print(`${found.pruned} more were pruned; the chain keeps their digests`);
    if (found.corrected > 0)
      print(`${found.corrected} corrections were made by db replay; the chain keeps the previous digests`);
    if (found.outdated.length > 0)
      print(
        `verdicts on the ledger of ${found.outdated.join(", ")} are ${outdatedRules}; they were not compared, and nothing is damaged`,
      );
    print(`due slots accounted for: ${found.accounted} of ${found.due}`);
    for (const { account, digest } of found.heads)
      print(`chain head${account === null ? "" : ` of ${account}`}: ${digest}`);
    return found.problems.length === 0 ? 0 : 1;
  },
};

/** Verifies a database, with a progress bar on a terminal. */
export async function verifyWithBar(path: string): Promise<Verification> {
  const bar = startTerminalBar("verifying", "links and snapshots");
  try {
    return await verify(path, datasets, bar.update);
  } finally {
    bar.stop();
  }
}

/**
 * Verifies `copy`, which was made from `original`.
 * @throws StorageError with the first problem if it was altered
 */
export async function requireVerified(copy: string, original: string): Promise<void> {
  const { problems } = await verifyWithBar(copy);
  if (problems.length === 0) return;
  throw new StorageError(`${original} was altered and is not copied: ${problems[0]}. Use an older backup.`);
}
