import { join } from "node:path";
import { expect, it } from "vitest";
import { ownSettings } from "../../../src/alerts/in-force.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { noChanges } from "../../../src/store/alerts/alert-store.ts";
import { startReceiver, token } from "../../alerts/receiver.ts";
import { collect, failed, good, item, start } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess as run } from "../../support/in-process.ts";

it.each([
  ["json", "sentence"],
  ["slack", "text"],
  ["discord", "content"],
  ["telegram", "text"],
])("alerts test posts in the form of %s and prints the response", async (format, field) => {
  const receiver = await startReceiver();
  const env = { ALERT_WEBHOOK_URL: receiver.url, ALERT_WEBHOOK_FORMAT: format, ALERT_TELEGRAM_CHAT: "42" };
  const { code, stdout, stderr } = await run(["alerts", "test"], temporaryFolder(), env);
  expect([code, receiver.received.length]).toEqual([0, 1]);
  expect(receiver.received[0]?.[field]).toContain("this is a test of bitget");
  expect(stdout).toContain("accepted: HTTP 200: ok");
  expect(stdout + stderr).not.toContain(token);
});

it("alerts test names the fix if the notification is not accepted, or no webhook is set", async () => {
  const receiver = await startReceiver();
  receiver.respond = (response) => void response.writeHead(404).end(`no ${receiver.url}`);
  const rejected = await run(["alerts", "test"], temporaryFolder(), { ALERT_WEBHOOK_URL: receiver.url });
  expect([rejected.code, rejected.stdout]).toEqual([
    1,
    expect.stringContaining("not accepted: the webhook no longer exists (HTTP 404): no [secret]"),
  ]);
  const missing = await run(["alerts", "test"], temporaryFolder());
  expect([missing.code, missing.stderr]).toEqual([78, expect.stringContaining("ALERT_WEBHOOK_URL is missing")]);
});

it("alerts list shows open alerts and the notifications with their delivery", async () => {
  const path = temporaryPath();
  const { alerts } = await open(path);
  const of = { kind: "drawdown", account: "main", what: "equity\u001b[31m" };
  const figures = { value: "0.2", threshold: "0.1", sentence: "Alert: main: equity is low." };
  await alerts.record({
    ...noChanges,
    fired: [{ ...of, name: "one", subject: "equity", scopeId: null, firedAt: start }],
    messages: (["log", "pending"] as const).map((delivery) => ({
      ...{ ...of, ...figures, alert: "one", state: "fired", at: start },
      delivery,
    })),
  });
  await alerts.mark(2, { delivery: "pending", attempts: 3, nextAt: start, problem: "responded with HTTP 500" });
  const { code, stdout } = await run(["alerts", "list"], temporaryFolder(), { DATABASE_URL: `file:${path}` });
  expect(code).toBe(0);
  expect(stdout.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "))).toEqual([
    "account | open alert | subject | since (UTC)",
    "main | drawdown | equity\\u001b[31m | 2026-11-01 00:00:00",
    "",
    "Rules on: stale feeds; refused keys; unexplained balances. Off: distance to liquidation; margin ratio; drawdown.",
    ownSettings,
    "",
    "at (UTC) | delivery | notification",
    "2026-11-01 00:00:00 | log only | Alert: main: equity is low.",
    "2026-11-01 00:00:00 | pending, 3 attempts: responded with HTTP 500 | Alert: main: equity is low.",
    "",
  ]);
});

it("alerts list names what the rules cannot evaluate, and why", async () => {
  const path = temporaryPath();
  const store = await open(path);
  const [equity, lines, accounts] = (["equity", "positions", "mix-accounts"] as const).map(snapshotDatasetNamed);
  if (!equity || !lines || !accounts) throw new Error("a dataset is gone");
  for (const account of ["main", "hedge"])
    for (const name of ["equity", "positions"] as const) await store.setSchedule(account, name, "* * * * *", start - 1);
  const dust = { complete: 0, pricedUsdt: "400", unpriced: '{"AIR\\u001b[31m":"1"}' };
  await collect(store, equity, start, { snapshots: [good([item(equity, dust)], start)] });
  const refused = { complete: 0, pricedUsdt: "7", missing: '["funding-assets"]', unifiedUsdt: "7" };
  await collect(store, equity, start, { snapshots: [good([item(equity, refused)], start)] }, "hedge");
  const line = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "1" };
  await collect(store, lines, start, { snapshots: [good([item(lines, line)], start, "umcbl")] });
  await collect(store, lines, start, { failures: [failed("40014", start, "dmcbl")] }, "hedge");
  store.close();
  const env = {
    DATABASE_URL: `file:${path}`,
    ...{ ALERT_DRAWDOWN: "10%", ALERT_LIQUIDATION_DISTANCE: "5%", ALERT_MARGIN_RATIO: "80%" },
  };
  const { stdout } = await run(["alerts", "list"], temporaryFolder(), env);
  expect(stdout.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "))).toEqual([
    "No open alerts.",
    "",
    "account | not fully evaluated | reason",
    " | margin-ratio | mix-accounts is not scheduled",
    "main | drawdown | equity is evaluated without AIR\\u001b[31m: the exchange has no price",
    "main | liquidation-distance | BTCUSDT long (crossed, USDT, umcbl) is not reported by the exchange",
    "hedge | margin-ratio | unified account is not reported by the exchange",
    "hedge | drawdown | equity is incomplete: no recent data of funding-assets",
    "hedge | liquidation-distance | positions (dmcbl) could not be read (40014)",
    "hedge | margin-ratio | positions (dmcbl) could not be read (40014)",
    "",
    "Rules on: distance to liquidation below 5 %; margin ratio above 80 %; drawdown above 10 % in 7 days; stale feeds; refused keys; unexplained balances.",
    ownSettings,
    "",
    "No notifications sent.",
    "",
  ]);
});

it("a restored database does not send the notifications that were pending in its backup", async () => {
  const path = temporaryPath();
  const { alerts } = await open(path);
  const alert = { alert: "one", kind: "stale", account: "main", what: "prices", sentence: "Alert." } as const;
  const message = { ...alert, state: "fired", at: start, value: null, threshold: null, delivery: "pending" } as const;
  await alerts.record({ ...noChanges, messages: [message] });
  const folder = temporaryFolder();
  const copy = join(folder, "copy.db");
  await run(["db", "backup", copy], folder, { DATABASE_URL: `file:${path}` });
  const env = { DATABASE_URL: `file:${join(folder, "restored.db")}` };
  expect((await run(["db", "restore", copy], folder, env)).code).toBe(0);
  expect((await run(["db", "verify"], folder, env)).code).toBe(0);
  const { stdout } = await run(["alerts", "list"], folder, env);
  expect(stdout).toContain("given up, 0 attempts: the database was restored from a backup");
});
