/** `GET /healthz`: whether what is collected is fresh. A process that runs while its data is stale is not healthy. */
import { Hono } from "hono";
import { isLocked } from "../store/lock.ts";
import { readStatus } from "../store/status.ts";
import type { Access } from "./login.ts";
import type { Site } from "./site.ts";

interface Health {
  status: "ok" | "stale" | "unavailable";
  /** Whoever collects: whether it answers. */
  daemon: "ok" | "does not answer" | "nobody collects";
  stale: { account: string; dataset: string; since: string | null }[];
  problem?: string;
}

/** Asked more often than that, it says the same again. Milliseconds. */
const keepMs = 1000;

/** 200 or 503. Whoever has not shown the token is told one word: a probe needs no more, and names are nobody's business. */
export function healthz(site: Site, access: Access): Hono {
  let last: { at: number; health: Promise<Health> } | null = null;

  async function current(): Promise<Health> {
    if (!last || performance.now() - last.at > keepMs) last = { at: performance.now(), health: healthOf(site) };
    return last.health;
  }

  return new Hono().get("/", async (c) => {
    const health = await current();
    const body = access.isKnown(c) ? health : { status: health.status };
    return c.json(body, health.status === "ok" ? 200 : 503);
  });
}

async function healthOf(site: Site): Promise<Health> {
  const daemon = await daemonState(site);
  try {
    const stale = readStatus(site.databasePath, site.now())
      .filter(({ fresh }) => !fresh)
      .map(({ account, dataset, lastOkAt }) => ({
        account,
        dataset,
        since: lastOkAt === null ? null : new Date(lastOkAt).toISOString(),
      }));
    const status = stale.length > 0 ? "stale" : daemon === "ok" ? "ok" : "unavailable";
    return { status, daemon, stale };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { status: "unavailable", daemon, stale: [], problem };
  }
}

async function daemonState({ daemon, databasePath }: Site): Promise<Health["daemon"]> {
  // Under `serve` another process may collect into the same file.
  if (daemon === null) return isLocked(databasePath) ? "ok" : "nobody collects";
  return daemon.ping().then(
    () => "ok",
    () => "does not answer",
  );
}
