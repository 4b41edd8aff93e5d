/** Finds out whether the process that collects is running, for the pages and for `/healthz`. */
import { isLocked } from "../store/sqlite/lock.ts";
import type { Site } from "./site.ts";

/** The state while no process collects; `/healthz` has it. */
export const notRunning = "nobody collects";

/** The state of the process that collects. */
export interface DaemonState {
  /** "unknown" if this user may not read the lock, or if the history is recorded by other machines; then only freshness decides. */
  daemon: "ok" | "waits" | "does not answer" | typeof notRunning | "unknown";
  /** What prevents the daemon from collecting, or in `/healthz` the database from being read. */
  problem?: string;
}

type DaemonSite = Pick<Site, "daemon" | "databasePath" | "isMirror">;

/** Resolves with the state, within the two seconds that the daemon has to answer. */
export async function daemonState({ daemon, databasePath, isMirror }: DaemonSite): Promise<DaemonState> {
  if (daemon === null && isMirror) return { daemon: "unknown" };
  // Under `serve`, another process may be collecting into the same file.
  if (daemon === null) {
    const locked = isLocked(databasePath);
    return { daemon: locked === null ? "unknown" : locked ? "ok" : notRunning };
  }
  return daemon.ping().then(
    (problem) => (problem === "" ? { daemon: "ok" } : { daemon: "waits", problem }),
    () => ({ daemon: "does not answer" }),
  );
}

/** Time for which a page reuses a state, and for which it waits for a new one. Milliseconds. */
const reuseMs = 1000;
const patienceMs = 500;

/** Returns a function that resolves with the state soon: while the daemon takes its time, with the one before, "unknown" at first. */
export function createDaemonStates(site: DaemonSite): () => Promise<DaemonState> {
  let last: DaemonState = { daemon: "unknown" };
  let asked: Promise<DaemonState> | null = null;
  let askedAt = 0;

  return async () => {
    if (!asked || performance.now() - askedAt > reuseMs) {
      askedAt = performance.now();
      asked = daemonState(site).then((state) => {
        last = state;
        return state;
      });
    }
    const waiting = new Promise<null>((resolve) => setTimeout(resolve, patienceMs, null).unref());
    return (await Promise.race([asked, waiting])) ?? last;
  };
}
