/** Serves `GET /healthz`: 200 while every enabled dataset is fresh. A process that runs while its data is stale is not healthy. */
import { Hono } from "hono";
import type { Access } from "./access/login.ts";
import { type DaemonState, daemonState } from "./daemon-state.ts";
import type { Site } from "./site.ts";

interface Health extends DaemonState {
  status: "ok" | "stale" | "unavailable";
  /** Stale datasets: since when, and the slot of the last complete run; null if there was none. ISO 8601. */
  stale: { account: string; dataset: string; since: string | null; lastOk: string | null }[];
}

/** Time for which a result is reused. Milliseconds. */
const cacheMs = 1000;

/** Answers 200 or 503. Without the token the body is the status alone: a probe needs no more, and account names are private. */
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
