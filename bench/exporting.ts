/** The positions of a long history as CSV: by our program, and by SQLite's own from plain rows and from our view. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { minute } from "../test/store/kit.ts";
import type { History } from "./history.ts";

/** In every minute. */
export const positionsHeld = 20;

export interface Exported {
  rowsPerSecond: number;
  /** Resident; MiB. */
  peak: number;
}

/** The rows of the first `minutes` by the program; from its start to its end. */
export async function exportCsv({ path, from }: History, minutes: number): Promise<Exported> {
  const folder = dirname(path);
  const target = join(folder, "positions.csv");
  const to = new Date(from + minutes * minute).toISOString();
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    ["--import", tellsPeak, resolve("dist/main.js"), "export", "positions", "--out", target, "--to", to],
    {
      cwd: folder,
      env: { PATH: process.env.PATH, DATABASE_URL: `file:${path}` },
      stdio: ["ignore", "pipe", "inherit", "pipe"],
    },
  );
  let said = "";
  let peak = "";
  child.stdio[1]?.on("data", (text: Buffer) => {
    said += text;
  });
  child.stdio[3]?.on("data", (text: Buffer) => {
    peak += text;
  });
  await once(child, "close");
  const rows = minutes * positionsHeld;
  if (!said.startsWith(`${rows} rows`)) throw new Error(`the export should have had ${rows} rows: ${said}`);
  const seconds = (performance.now() - startedAt) / 1000;
  rmSync(target);
  return { rowsPerSecond: rows / seconds, peak: Number(peak) / 1024 };
}

/** Runs in the program before its own code; what the system remembers is in KiB. */
const tellsPeak = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from "node:fs";
   import { isMainThread } from "node:worker_threads";
   if (isMainThread) process.on("exit", () => writeSync(3, String(process.resourceUsage().maxRSS)));`,
)}`;

/** Rows per second of `sqlite3 -csv`, which must be installed; `query` gives so many rows. */
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
