/** The commands that print JSON on request: each object has a version, and the figures are those of the text. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { noChanges } from "../../../src/store/alerts/alert-store.ts";
import { collect, good, item, minute, storeAt } from "../../store/kit.ts";
import { spotAssets } from "../../store/minutes.ts";
import { runInProcess } from "../../support/in-process.ts";

const now = Math.floor(Date.now() / minute) * minute;
let path: string;

/** Three due slots, of which one was run, and an open alert. */
beforeAll(async () => {
  path = join(mkdtempSync(join(tmpdir(), "json-")), "collector.db");
  const store = await storeAt(path);
  await store.setSchedule("main", "spot-assets", "* * * * *", now - 4 * minute);
  await store.setApiVersion("main", "v2", now - 4 * minute, "first seen");
  const snapshots = [good([item(spotAssets, { coin: "BTC" })], now - 3 * minute)];
  await collect(store, spotAssets, now - 3 * minute, { snapshots });
  await store.closeSlots(
    "main",
    "spot-assets",
    [2, 1].map((ago) => ({ slot: now - ago * minute, state: "missed", cause: "not running" })),
  );
  await store.alerts.record({
    ...noChanges,
    fired: [
      {
        ...{ kind: "drawdown", account: "main", what: "equity", name: "one", subject: "equity", scopeId: null },
        firedAt: now,
      },
    ],
    messages: [
      {
        ...{ kind: "drawdown", account: "main", what: "equity", alert: "one", state: "fired", at: now },
        ...{ value: "0.2", threshold: "0.1", sentence: "Alert: main: equity is low.", delivery: "log" },
      },
    ],
  });
  store.close();
});

afterAll(() => rmSync(dirname(path), { recursive: true }));

const run = (...args: string[]) => runInProcess(args, dirname(path), { DATABASE_URL: `file:${path}` });

it("status begins with the slots of 30 days and the open alerts", async () => {
  const { stdout } = await run("status");
  expect(stdout.split("\n").slice(0, 2)).toEqual([
    expect.stringMatching(/^1 of [34] slots of 30 days ok · 1 alert$/),
    "",
  ]);
  // Nothing runs, so nothing is next.
  expect(stdout).toMatch(/^main +spot-assets +\S+ .* – +/m);
  expect(JSON.parse((await run("status", "--json")).stdout)).toMatchObject([
    { schema_version: 1, account: "main", slots: { ok: 1 } },
  ]);
});

it("alerts list", async () => {
  const { code, stdout } = await run("alerts", "list", "--json");
  const of = { account: "main", kind: "drawdown", subject: "equity" };
  expect([code, JSON.parse(stdout)]).toEqual([
    0,
    {
      schema_version: 1,
      open: [{ ...of, since: new Date(now).toISOString() }],
      rules: [
        {
          ...{ of: "command", workers: [] },
          settings: {
            ...{ ALERT_LIQUIDATION_DISTANCE: "off", ALERT_MARGIN_RATIO: "off", ALERT_DRAWDOWN: "off" },
            ...{ ALERT_DRAWDOWN_DAYS: "7", ALERT_STALE: "on", ALERT_KEY_REFUSED: "on", ALERT_LEDGER_BREAK: "on" },
          },
        },
      ],
      unevaluated: [],
      notifications: [
        {
          ...{ ...of, state: "fired", at: new Date(now).toISOString(), value: "0.2", threshold: "0.1" },
          ...{ sentence: "Alert: main: equity is low.", delivery: "log", attempts: 0, problem: null },
        },
      ],
    },
  ]);
});

it("db verify", async () => {
  const { code, stdout } = await run("db", "verify", "--json");
  expect([code, JSON.parse(stdout)]).toEqual([
    0,
    expect.objectContaining({
      ...{ schema_version: 1, ok: true, problems: [], snapshots: 1 },
      heads: [{ account: null, digest: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    }),
  ]);
});

it("report --list", async () => {
  const { schema_version, reports } = JSON.parse((await run("report", "--list", "--json")).stdout);
  expect([schema_version, reports[0]]).toEqual([1, { name: "balances", summary: expect.any(String), chart: false }]);
  expect((await run("report", "balances", "--json")).code).toBe(64);
});
