/** How the processes that record into one PostgreSQL are shown. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { overviewLines } from "../../../src/commands/read/watch-lines.ts";
import { createMetrics } from "../../../src/monitoring/metrics.ts";
import { loadConfig } from "../../../src/settings/config.ts";
import { publishedSettings } from "../../../src/settings/sections/shown.ts";
import { withHistory } from "../../../src/store/read/open-history.ts";
import { workerStatus } from "../../../src/store/runs/workers.ts";
import { parseExposition } from "../../support/exposition.ts";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess } from "../../support/in-process.ts";
import { createWorld } from "../../support/world.ts";
import { minute } from "../kit.ts";
import { connected, describePostgres, newHistory } from "./kit.ts";
import { recorderAt } from "./recorder-kit.ts";

const read = 1_793_491_200_000;

it.each([
  ["was seen ten seconds before at most", { seenAt: read - 9_999 }, 1000, { state: "live", running: 3 }],
  ["was not seen for ten seconds", { seenAt: read - 10_000 }, 1000, { state: "gone", running: 3, ageMs: 11_000 }],
  [
    "was live in a mirror that is old",
    { seenAt: read },
    60_001,
    { state: "unknown", running: null, pausedUntil: null },
  ],
  ["was gone in a mirror that is old", { seenAt: read - minute }, 60_001, { state: "unknown", running: null }],
  ["pauses", { seenAt: read, pausedUntil: read + 1 }, 0, { pausedUntil: read + 1, ageMs: 0 }],
  ["has paused", { seenAt: read, pausedUntil: read }, 0, { pausedUntil: null }],
])("a process that %s", (_, row, after, expected) => {
  const all = { name: "a", version: "1", accounts: 2, running: 3, pausedUntil: read + minute, ...row };
  expect(workerStatus(all, read, read + after)).toMatchObject(expected);
});

describePostgres("processes that record into one PostgreSQL", () => {
  it("have the rules of each in `alerts list`, those with the same ones together, without processes that are gone", async () => {
    const [folder, url] = [temporaryFolder(), await newHistory()];
    const postgres = await connected(url);
    const publish = async (worker: string, drawdown: string, seen = "now_ms() + 3600000") => {
      const recorder = await recorderAt(url, { worker });
      await postgres.run(`insert into worker (name, seen_at, version, settings, accounts) values ('${worker}', ${seen}, '1', '{}', 1)
        on conflict (name) do update set seen_at = excluded.seen_at`);
      const config = loadConfig({ ALERT_DRAWDOWN: drawdown }, { credentials: false });
      await recorder.alerts.publish(publishedSettings(config));
      await recorder.alerts.publish(publishedSettings(config));
    };
    const rules = async () => {
      const { stdout } = await runInProcess(["alerts", "list"], folder, { DATABASE_URL: url, ALERT_DRAWDOWN: "1%" });
      return stdout.split("\n").flatMap((line) => /^(.*)Rules on: (drawdown above \S+ %)/.exec(line)?.slice(1) ?? []);
    };
    expect(await rules()).toEqual(["", "drawdown above 1 %"]);
    await publish("desk-1", "10%");
    expect(await rules()).toEqual(["", "drawdown above 10 %"]);
    await publish("desk-2", "20%");
    await publish("desk-3", "10%");
    await publish("desk-4", "30%", "0");
    expect(await rules()).toEqual(["desk-1, desk-3: ", "drawdown above 10 %", "desk-2: ", "drawdown above 20 %"]);
    await postgres.run("delete from worker where name = 'desk-1'");
    await publish("desk-2", "10%");
    const [[stored] = []] = await postgres.cells("select figure from alert_figure where account = '' and hour = -3");
    expect(Object.keys(JSON.parse(String(stored))).sort()).toEqual(["desk-2", "desk-3", "desk-4"]);
    expect(await rules()).toEqual(["", "drawdown above 10 %"]);
  });

  it("are shown by status, its overview, SQL and metrics; one that is gone needs attention", async () => {
    const [folder, url, now] = [temporaryFolder(), await newHistory(), Date.now()];
    const postgres = await connected(url);
    const recorder = await recorderAt(url, { worker: "desk-1" });
    const env = { DATABASE_URL: url };
    expect((await runInProcess(["status"], folder, env)).stdout).not.toMatch(/worker/i);
    await recorder.setSchedule("main", "positions", "* * * * *", now - minute);
    await recorder.begin("main", "positions", now - 1000, now);
    // Live for an hour, because a busy machine takes its time to read them.
    await postgres.run(`insert into worker (name, seen_at, version, settings, accounts, paused_until) values
      ('desk-1', now_ms() + 3600000, '0.2.0', '{}', 2, null), ('desk-2', now_ms() - 300000, '0.1.0', '{}', 2, null),
      ('desk-3', now_ms() + 3600000, '0.2.0', '{}', 1, now_ms() + 3600000)`);
    const { stdout } = await runInProcess(["status"], folder, env);
    expect(stdout).toMatch(
      /^worker +state +last seen \(UTC\) +age +version +accounts +running +paused until \(UTC\)$/m,
    );
    expect(stdout).toMatch(/^desk-1 +live +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d+ s +0\.2\.0 +2 +1$/m);
    expect(stdout).toMatch(/^desk-2 +GONE .* \d+ min +0\.1\.0 +2 +0$/m);
    expect(stdout).toMatch(/^desk-3 +live .* 1 +0 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m);
    expect(stdout).toMatch(/\nWorker desk-2 is gone, last seen \d+ min ago\./);
    const [{ workers }] = JSON.parse((await runInProcess(["status", "--json"], folder, env)).stdout);
    expect(workers).toMatchObject([
      { name: "desk-1", state: "live", running: 1, accounts: 2, version: "0.2.0", pausedUntil: null },
      { name: "desk-2", state: "gone" },
      { name: "desk-3", state: "live", pausedUntil: expect.stringMatching(/Z$/) },
    ]);
    const { database } = postgres.address;
    const mirror = join(folder, "data", `${database}-bitget.mirror.db`);
    const lines = overviewLines(mirror, "UTC", now);
    expect(lines.map(({ text }) => text)).toContain("Workers");
    expect(lines.filter(({ tone }) => tone === "bad").map(({ text }) => text)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^desk-2 +GONE/), expect.stringMatching(/^Worker desk-2 is gone/)]),
    );
    const later = withHistory(mirror, (history) => history.workers(Date.now() + 2 * minute));
    expect(later.map(({ state }) => state)).toEqual(["unknown", "unknown", "unknown"]);

    const world = await createWorld("2026-03-01T12:00:30Z", {});
    const { text } = createMetrics({ ...world.app, clock: world.clock, store: recorder });
    const exported = parseExposition(await text()).filter(({ name }) => name.includes("_worker_"));
    const exportedValue = (name: string, worker: string) =>
      exported.find((one) => one.name === `bitget_collector_worker_${name}` && one.labels.worker === worker)?.value;
    expect(["desk-1", "desk-2", "desk-3"].map((worker) => exportedValue("up", worker))).toEqual([1, 0, 1]);
    expect([exportedValue("running", "desk-1"), exportedValue("accounts", "desk-3")]).toEqual([1, 1]);
    expect(exportedValue("seen_age_seconds", "desk-2")).toBeGreaterThanOrEqual(300);
    expect(exportedValue("paused_until_timestamp_seconds", "desk-1")).toBeUndefined();
    expect(exportedValue("paused_until_timestamp_seconds", "desk-3")).toBeGreaterThan(Date.now() / 1000);
  });

  it("are all gone: then nothing is collected, and status says so", async () => {
    const [folder, url] = [temporaryFolder(), await newHistory()];
    const recorder = await recorderAt(url);
    await recorder.setSchedule("main", "positions", "* * * * *", Date.now());
    await (await connected(url)).run("insert into worker values ('desk-1', now_ms() - 15000, '0.2.0', '{}', 2, null)");
    const { stdout } = await runInProcess(["status"], folder, { DATABASE_URL: url });
    expect(stdout).toContain("Collector not running; start it with `bitget-collector start`.");
  });
});
