/** Which rules are shown by a process that does not evaluate them, and has other settings: those of the one that does. */
import Database from "better-sqlite3";
import { expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../../../src/settings/config.ts";
import { shownSettings } from "../../../src/settings/sections/shown.ts";
import { serve } from "../../../src/web/server.ts";
import { openSite } from "../../../src/web/site.ts";
import { temporaryFolder } from "../../support/files.ts";
import { fetchOnce } from "../../support/http.ts";
import { runInProcess } from "../../support/in-process.ts";
import { createWorld } from "../../support/world.ts";

const start = "2026-03-01T00:00:30Z";

/** Serves the pages with settings of their own, as `serve` does, and returns the page of data health. */
async function serveWith(env: Record<string, string>) {
  const config = loadConfig(env, { credentials: false, pages: true });
  const site = openSite({ ...config, settings: shownSettings(config) }, null);
  const place = { host: "127.0.0.1", port: 0, token: null, names: [] };
  const serving = await serve({ ...site, now: () => Date.parse(start) }, place, (problem) => console.error(problem));
  onTestFinished(() => {
    serving.close();
    site.close();
  });
  return async () => (await fetchOnce(new URL("/collection", serving.url))).text();
}

it("the pages of `serve` and `alerts list` have the collector's rules and schedules; where they are not known, they say so", async () => {
  const collector = {
    SCHEDULE_EQUITY: "0 * * * * *",
    ALERT_DRAWDOWN: "10.5%",
    ALERT_WEBHOOK_URL: "https://hook.invalid/T0KEN",
  };
  const world = await createWorld(start, collector);
  const env = { DATABASE_URL: `file:${world.path}`, ALERT_MARGIN_RATIO: "70%", SCHEDULE_EQUITY: "*/7 * * * *" };
  const page = await serveWith(env);
  const list = async (...args: string[]) =>
    (await runInProcess(["alerts", "list", ...args], temporaryFolder(), env)).stdout;
  const own = "Rules on: margin ratio above 70 %; stale feeds; refused keys; unexplained balances.";
  const caveat = "These are the settings of this process; those of the collector are not known and may differ.";
  expect(await page()).toContain(`${own} Off: distance to liquidation; drawdown. ${caveat}`);
  expect(await page()).toContain("<summary>Settings of this process</summary>");
  expect(await list()).toContain(`${own} Off: distance to liquidation; drawdown.\n${caveat}`);
  expect(JSON.parse(await list("--json")).rules).toMatchObject([
    { of: "command", workers: [], settings: { ALERT_MARGIN_RATIO: "70 %", ALERT_DRAWDOWN: "off" } },
  ]);

  world.app.alerts.tick();
  await world.app.alerts.idle();
  const rules = "Rules on: drawdown above 10.5 % in 7 days; stale feeds; refused keys; unexplained balances.";
  const off = "Off: distance to liquidation; margin ratio.";
  expect(await page()).toContain(`${rules} ${off} Delivery: to the webhook.`);
  expect(await page()).toContain("<summary>Settings in force</summary>");
  expect(await page()).toContain("<dt>SCHEDULE_EQUITY</dt><dd>0 * * * * *</dd>");
  expect(await page()).not.toMatch(/settings of this process|70 %|T0KEN|hook\.invalid/);
  expect(await list()).toContain(`${rules} ${off}\n`);
  expect(await list()).not.toContain(caveat);
  expect(JSON.parse(await list("--json")).rules).toMatchObject([
    { of: "collector", workers: [], settings: { ALERT_MARGIN_RATIO: "off", ALERT_DRAWDOWN: "10.5 %" } },
  ]);

  await world.restart({ ...collector, ALERT_DRAWDOWN: "" });
  world.app.alerts.tick();
  await world.app.alerts.idle();
  expect(await page()).toContain("Off: distance to liquidation; margin ratio; drawdown.");

  const database = new Database(world.path);
  database.exec('update alert_figure set figure = \'{"":{"of":"a later version"}}\' where hour = -3');
  database.close();
  expect(await page()).toContain(caveat);
});
