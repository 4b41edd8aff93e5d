/** Puts the temporary folders of the tests into memory where it has room: tests commit often, and what is tested is not the disk. */
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

const memory = "/dev/shm";
const prefix = "collector-tests-";
/** What a run of all tests takes at most, several times over. Bytes. */
const room = 8 * 2 ** 30;

/** The global setup of vitest, which its workers are started after. */
export function setup(): (() => void) | undefined {
  if (process.env.TMPDIR !== undefined || !existsSync(memory)) return undefined;
  for (const left of readdirSync(memory).filter((name) => name.startsWith(prefix)))
    if (!existsSync(`/proc/${left.slice(prefix.length)}`)) rmSync(join(memory, left), { recursive: true, force: true });
  const { bavail, bsize } = statfsSync(memory);
  if (bavail * bsize < room) return undefined;
  const folder = join(memory, `${prefix}${process.pid}`);
  // The user that PostgreSQL runs as must reach its own folder below.
  mkdirSync(folder, { mode: 0o711 });
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
