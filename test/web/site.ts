/** Serves the dashboard of a test database from within the test. */
import { onTestFinished } from "vitest";
import type { HttpSettings } from "../../src/settings/config.ts";
import { serve } from "../../src/web/server.ts";
import { type Daemon, openSite, type Site } from "../../src/web/site.ts";
import { minute, start } from "../store/kit.ts";
import { open, temporaryPath } from "../store/temporary.ts";

/** A daemon without problems. */
export const idle: Daemon = { ping: async () => "", metrics: async () => "bitget_collector_up 1\n" };

/** Starts the dashboard over an empty database; its clock shows 2026-11-01T00:00:00Z unless `site` sets another. */
export async function startSite({ http = {}, site = {} }: { http?: Partial<HttpSettings>; site?: Partial<Site> } = {}) {
  const databasePath = temporaryPath();
  const store = await open(databasePath);
  await store.setSchedule("main", "spot-assets", "* * * * *", start - minute);
  const opened = openSite({ databasePath, timezone: "UTC", sqlTimeoutSeconds: 10 }, idle);
  const problems: unknown[] = [];
  const all: Site = { ...opened, now: () => start, ...site };
  const place = { host: "127.0.0.1", port: 0, token: null, names: [], ...http };
  const serving = await serve(all, place, (problem) => problems.push(problem));
  onTestFinished(() => {
    serving.close();
    opened.close();
  });
  return { site: all, store, problems, url: serving.url, port: Number(new URL(serving.url).port) };
}
