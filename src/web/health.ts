/** `GET /healthz`: whether what is collected is fresh. A process that runs while its data is stale is not healthy. */
import { Hono } from "hono";
import { isLocked } from "../store/sqlite/lock.ts";
import type { Access } from "./access/login.ts";
import type { Site } from "./site.ts";

interface Health {
  status: "ok" | "stale" | "unavailable";
  /** The collecting process: whether it answers; "unknown" where this user may not look at the lock, and what is fresh decides. */
  daemon: "ok" | "waits" | "does not answer" | "nobody collects" | "unknown";
  /** From when on it is too old, and the slot of the last run that was complete. */
  stale: { account: string; dataset: string; since: string | null; lastOk: string | null }[];
  /** What keeps it from collecting, or the database from being read. */
  problem?: string;
}

/** Asked more often than that, it says the same again. Milliseconds. */
const cacheMs = 1000;

/** 200 or 503. Whoever has not shown the token is told one word: a probe needs no more, and names are nobody's business. */
export function healthz(site: Site, access: Access): Hono {
  let last: { at: number; health: Promise<Health> } | null = null;

  async function current(): Promise<Health> {
    if (!last || performance.now() - last.at > cacheMs) last = { at: performance.now(), health: checkHealth(site) };
    return last.health;
  }

  return new Hono().get("/", async (c) => {
    const health = await current();
    const body = access.isAuthorized(c) ? health : { status: health.status };
    return c.json(body, health.status === "ok" ? 200 : 503);
  });
}

const instant = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

async function checkHealth(site: Site): Promise<Health> {
  const { daemon, ...why } = await daemonState(site);
  try {
    const all = await site.reader.read((history) => history.freshness(site.now()));
    const stale = all
      .filter(({ fresh }) => !fresh)
      .map(({ account, dataset, staleAt, lastOkAt }) => ({
        account,
        dataset,
        since: instant(staleAt),
        lastOk: instant(lastOkAt),
      }));
    const status = stale.length > 0 ? "stale" : daemon === "ok" || daemon === "unknown" ? "ok" : "unavailable";
    return { status, daemon, stale, ...why };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { status: "unavailable", daemon, stale: [], problem };
  }
}

async function daemonState({ daemon, databasePath }: Site): Promise<Pick<Health, "daemon" | "problem">> {
  // Under `serve` another process may collect into the same file.
  if (daemon === null) {
    const locked = isLocked(databasePath);
    return { daemon: locked === null ? "unknown" : locked ? "ok" : "nobody collects" };
  }
  return daemon.ping().then(
    (problem) => (problem === "" ? { daemon: "ok" } : { daemon: "waits", problem }),
    () => ({ daemon: "does not answer" }),
  );
}
