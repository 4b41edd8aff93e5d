/** Runs the built daemon as a child process and measures it from inside and outside (Linux only: reads /proc). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import Database from "better-sqlite3";
import type { Finished } from "../support/program.ts";

/** Sizes in bytes, times in milliseconds. */
export interface Sample {
  /** Resident memory right before and right after garbage collection. */
  littered: number;
  rss: number;
  heap: number;
  /** Active resources of the event loop, without timers and file requests. */
  handles: number;
  /** Percentiles of the event-loop delay since the start. */
  p99: number;
  max: number;
  descriptors: number;
  children: number;
  wal: number;
  runs: number;
}

export interface WatchedDaemon {
  samples: readonly Sample[];
  path: string;
  /** Throws an error with the end of its log where the daemon has ended by itself. */
  requireAlive(): void;
  /** Sends SIGTERM; returns the exit and how long it took. */
  stop(): Promise<Finished & { tookMs: number }>;
  kill(): void;
}

export async function startDaemon(folder: string, env: Record<string, string>): Promise<WatchedDaemon> {
  const path = join(folder, "data", "collector.db");
  const log = join(folder, "log");
  const file = openSync(log, "a");
  const child = spawn(
    process.execPath,
    ["--expose-gc", "--require", resolve("test/soak/monitor.cjs"), resolve("dist/main.js"), "start"],
    {
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", LOG_FORMAT: "json", ...env },
      stdio: ["ignore", file, file, "pipe"],
    },
  );
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const samples: Sample[] = [];
  const pid = String(child.pid);
  const outside = () => ({
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    children: readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).length,
    wal: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    runs: countRuns(path),
  });
  createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => {
    if (child.exitCode === null) samples.push({ ...(JSON.parse(line) as Sample), ...outside() });
  });
  return {
    samples,
    path,
    requireAlive() {
      if (child.exitCode === null && child.signalCode === null) return;
      throw new Error(
        `the daemon ended with ${child.exitCode ?? child.signalCode}:\n${readFileSync(log, "utf8").slice(-2000)}`,
      );
    },
    async stop() {
      const startedAt = performance.now();
      child.kill("SIGTERM");
      const [code, signal] = await ended;
      return { code, signal, stdout: "", stderr: readFileSync(log, "utf8"), tookMs: performance.now() - startedAt };
    },
    kill: () => child.kill("SIGKILL"),
  };
}

function countRuns(path: string): number {
  const database = new Database(path, { readonly: true });
  try {
    return Number(database.prepare("select count(*) from run").pluck().get());
  } finally {
    database.close();
  }
}
