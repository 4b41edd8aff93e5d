import { loadConfig } from "../config.ts";
import { datasets } from "../datasets/index.ts";
import { verify } from "../store/verify.ts";
import type { Command } from "./command.ts";
import { startBar } from "./progress.ts";

export const dbVerify: Command = {
  name: "db verify",
  summary: "recompute the digest of every snapshot from the stored rows; exit code 1 when anything differs",
  example: "db verify",
  async run({ env, out }) {
    const { databasePath } = loadConfig(env, { credentials: false });
    const bar = process.stderr.isTTY ? startBar("verifying", 0, "snapshots") : null;
    const found = await verify(databasePath, datasets, (done, total) => {
      bar?.setTotal(total);
      bar?.update(done);
    });
    bar?.stop();
    for (const problem of found.problems) out(problem);
    out(
      `${found.snapshots} snapshots of ${found.runs} runs verified: ${found.problems.length === 0 ? "all as received" : "NOT as received"}`,
    );
    return found.problems.length === 0 ? 0 : 1;
  },
};
