/** Exports the positions of a long history as CSV: with this program, and with `sqlite3` from plain rows and from our view. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { minute } from "../test/store/kit.ts";
import type { History } from "./history.ts";

/** The number of positions in every minute. */
export const positionsHeld = 20;

export interface Exported {
  rowsPerSecond: number;
  /** Resident memory. MiB. */
  peak: number;
}

/** Exports the rows of the first `minutes` with the program; measured from its start to its exit. */
export async function exportCsv({ path, from }: History, minutes: number): Promise<Exported> {
  const folder = dirname(path);
  const target = join(folder, "positions.csv");
  const to = new Date(from + minutes * minute).toISOString();
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    ["--import", reportPeak, resolve("dist/main.js"), "export", "positions", "--out", target, "--to", to],
    {
      cwd: folder,
      env: { PATH: process.env.PATH, DATABASE_URL: `file:${path}` },
      stdio: ["ignore", "pipe", "inherit", "pipe"],
    },
  );
  let output = "";
  let peak = "";
  child.stdio[1]?.on("data", (text: Buffer) => {
    output += text;
  });
  child.stdio[3]?.on("data", (text: Buffer) => {
    peak += text;
  });
  await once(child, "close");
  const rows = minutes * positionsHeld;
  if (!output.startsWith(`${rows} rows`)) throw new Error(`the export should have had ${rows} rows: ${output}`);
  const seconds = (performance.now() - startedAt) / 1000;
  rmSync(target);
  return { rowsPerSecond: rows / seconds, peak: Number(peak) / 1024 };
}

/** A module that is loaded before the program, and writes its peak memory in KiB when it exits. */
const reportPeak = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from "node:fs";
   import { isMainThread } from "node:worker_threads";
   if (isMainThread) process.on("exit", () => writeSync(3, String(process.resourceUsage().maxRSS)));`,
)}`;

/** Returns the rows per second of `sqlite3 -csv`, which must be installed. `rows`: the number of rows of `query`. */
export async function exportWithSqlite(path: string, query: string, rows: number): Promise<number> {
  const target = join(dirname(path), "positions.csv");
  const file = openSync(target, "w");
  const startedAt = performance.now();
  const child = spawn("sqlite3", ["-readonly", "-csv", "-header", path, query], { stdio: ["ignore", file, "inherit"] });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`sqlite3 ended with ${code}`);
  const seconds = (performance.now() - startedAt) / 1000;
  closeSync(file);
  rmSync(target);
  return rows / seconds;
}
