/** A disk that fails at one system call after the other: rows S2 and S3. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { until } from "../support/wait.ts";
import { type Bench, isQuick, row, rowElsewhere } from "./row.ts";
import { canTrace, injectInto } from "./syscalls.ts";

/** Every call, or in every run one of nine, each time others. */
const stride = isQuick ? 9 : 1;
const within = 600;

interface Storing {
  child: ChildProcess;
  /** What it printed about a snapshot. */
  said(n: number): string[];
}

async function startStoring({ path, onEnd }: Bench): Promise<Storing> {
  const file = join(import.meta.dirname, "storing.ts");
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
  return { child, said: (n) => printed.split("\n").filter((line) => line.startsWith(`${n} `)) };
}

/**
 * Stores snapshots while the first call of them fails, the next time the second, until none is left to fail. `lasting`:
 * each time that call and all after it, until the process has noticed. Returns the next snapshot's number.
 */
async function sweep(bench: Bench, storing: Storing, first: number, fault: string, lasting: boolean): Promise<number> {
  const { child, said } = storing;
  for (let n = first, call = 1 + (first % stride); ; n += 1, call += stride) {
    const injection = await injectInto(child.pid ?? 0, `${fault}:when=${call}${lasting ? "+" : ""}`);
    child.stdin?.write(`${n}\n`);
    const hasSaid = (what: string) => said(n).includes(`${n} ${what}`) || child.exitCode !== null;
    await until(() => (lasting && hasSaid("failed")) || hasSaid("ok"));
    // Whatever failed: nothing of it is there, or all of it.
    if (!hasSaid("ok")) expect(["", "40"]).toContain(shown(bench, n));
    await injection.end();
    // A commit whose sync failed is made anew: what is said to be stored is on the disk.
    if (!lasting && fault.startsWith("fsync")) expect(injection.endedBadly(), `sync ${call}`).toBe(false);
    await until(() => hasSaid("ok"));
    expect(shown(bench, n), `${fault}, call ${call}: ${said(n)}`).toBe("40");
    expect(bench.rows("pragma integrity_check")).toEqual([{ integrity_check: "ok" }]);
    if (injection.hits() === 0) {
      // The claim and the rows are two commits, and each is on the disk before anything is said about it.
      expect(injection.calls(), fault).toBeGreaterThanOrEqual(2);
      return n + 1;
    }
  }
}

/** How many rows the history shows of a snapshot; "" while there is none. Slots are minutes. */
const shown = ({ rows }: Bench, n: number): string =>
  rows(
    `select count(*) as n from spot_assets_history join snapshots using (snapshot_id) join runs using (run_id)
     where scheduled_for_ms = ${1_793_491_200_000 + n * 60_000} and available = '${n}'
     group by run_id having runs.state = 'ok'`,
  )
    .map(({ n }) => n)
    .join();

const rowTraced: typeof row = canTrace ? row : (id, fault) => rowElsewhere(id, fault, "needs strace");

rowTraced("S2", "ENOSPC at every Nth write", { always: true, within }, async (bench) => {
  const storing = await startStoring(bench);
  const next = await sweep(bench, storing, 1, "pwrite64:error=ENOSPC", false);
  await sweep(bench, storing, next, "pwrite64:error=ENOSPC", true);
  await expectEnded(storing);
});

rowTraced("S3", "EIO on write / fsync at every N", { always: true, within }, async (bench) => {
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
