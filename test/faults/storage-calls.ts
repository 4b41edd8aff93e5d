/** A disk that fails at each system call in turn: rows S2 and S3. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { until } from "../support/wait.ts";
import { type Bench, isQuick, row, rowElsewhere } from "./row.ts";
import { canTrace, injectInto } from "./syscalls.ts";

/** Every call, or one of nine in the quick run. */
const stride = isQuick ? 9 : 1;
const timeoutSeconds = 600;

interface Storing {
  child: ChildProcess;
  /** Returns the lines printed for a snapshot. */
  linesFor(n: number): string[];
}

async function startStoring({ path, onEnd }: Bench): Promise<Storing> {
  const file = join(import.meta.dirname, "children", "storing.ts");
  const child = spawn(process.execPath, ["--import", "tsx", file, path], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.on("close", resolve));
  onEnd(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  await until(() => printed.includes("ready\n") || child.exitCode !== null);
  return { child, linesFor: (n) => printed.split("\n").filter((line) => line.startsWith(`${n} `)) };
}

/**
 * Stores one snapshot after the other; the first system call of the first fails, the second call of the next one, and so
 * on until no call is left to fail. `lasting`: every later call fails too, until the process has reported a failure.
 * Returns the number of the next snapshot.
 */
async function sweep(bench: Bench, storing: Storing, first: number, fault: string, lasting: boolean): Promise<number> {
  const { child, linesFor } = storing;
  for (let n = first, call = 1 + (first % stride); ; n += 1, call += stride) {
    const injection = await injectInto(child.pid ?? 0, `${fault}:when=${call}${lasting ? "+" : ""}`);
    child.stdin?.write(`${n}\n`);
    const hasPrinted = (what: string) => linesFor(n).includes(`${n} ${what}`) || child.exitCode !== null;
    await until(() => (lasting && hasPrinted("failed")) || hasPrinted("ok"));
    // A failed attempt leaves all of the snapshot or nothing.
    if (!hasPrinted("ok")) expect(["", "40"]).toContain(shown(bench, n));
    await injection.end();
    // A commit whose sync failed is repeated: what is reported as stored is on the disk.
    if (!lasting && fault.startsWith("fsync")) expect(injection.endedBadly(), `sync ${call}`).toBe(false);
    await until(() => hasPrinted("ok"));
    expect(shown(bench, n), `${fault}, call ${call}: ${linesFor(n)}`).toBe("40");
    expect(bench.rows("pragma integrity_check")).toEqual([{ integrity_check: "ok" }]);
    if (injection.hits() === 0) {
      // The claim and the rows are two commits, each synced before it is reported.
      expect(injection.calls(), fault).toBeGreaterThanOrEqual(2);
      return n + 1;
    }
  }
}

/** Returns how many rows the history shows for snapshot `n`; "" while it is not stored. */
const shown = ({ rows }: Bench, n: number): string =>
  rows(
    `select count(*) as n from spot_assets_history join snapshots using (snapshot_id) join runs using (run_id)
     where scheduled_for_ms = ${1_793_491_200_000 + n * 60_000} and available = '${n}'
     group by run_id having runs.state = 'ok'`,
  )
    .map(({ n }) => n)
    .join();

const rowTraced: typeof row = canTrace ? row : (id, fault) => rowElsewhere(id, fault, "needs strace");

rowTraced("S2", "ENOSPC at every Nth write", { inEveryRun: true, timeoutSeconds }, async (bench) => {
  const storing = await startStoring(bench);
  const next = await sweep(bench, storing, 1, "pwrite64:error=ENOSPC", false);
  await sweep(bench, storing, next, "pwrite64:error=ENOSPC", true);
  await expectEnded(storing);
});

rowTraced("S3", "EIO on write / fsync at every N", { inEveryRun: true, timeoutSeconds }, async (bench) => {
  const storing = await startStoring(bench);
  let next = await sweep(bench, storing, 1, "pwrite64:error=EIO", false);
  next = await sweep(bench, storing, next, "pwrite64:error=EIO", true);
  next = await sweep(bench, storing, next, "fsync:error=EIO", false);
  await sweep(bench, storing, next, "fsync:error=EIO", true);
  await expectEnded(storing);
});

async function expectEnded({ child }: Storing): Promise<void> {
  child.stdin?.end();
  await until(() => child.exitCode !== null);
  expect(child.exitCode).toBe(0);
}
