import { chmodSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { checkDisk, checkNode } from "../../../src/commands/check/machine.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { dayMs, hourMs } from "../../../src/core/time.ts";
import type { SimulatedAccount, Simulator } from "../../../src/simulator/simulator.ts";
import { noChanges } from "../../../src/store/alerts/alert-store.ts";
import { lockDatabase } from "../../../src/store/sqlite/lock.ts";
import { startReceiver } from "../../alerts/receiver.ts";
import { collect, good, item, storeAt } from "../../store/kit.ts";
import { spotAssets } from "../../store/minutes.ts";
import { startExchange } from "../../support/exchange.ts";
import { temporaryFolder } from "../../support/files.ts";
import { runInProcess } from "../../support/in-process.ts";
import { classic, credentials, everyDataset } from "../../support/settings.ts";

let exchange: Simulator;
let folder: string;

const startAccounts = (accounts: SimulatedAccount[], behindMs = 0) =>
  startExchange({ accounts, clock: { ...systemClock, now: () => Date.now() - behindMs } });

beforeAll(async () => {
  exchange = await startAccounts([{ ...classic, addresses: "127.0.0.1" }]);
});
afterAll(() => exchange.close());
beforeEach(() => {
  folder = temporaryFolder();
});

const path = () => join(folder, "data", "collector.db");

/** An exchange that cannot be reached, for checks that do not need it: it allows the key to be read once per second. */
const unreachable = "http://127.0.0.1:9";

/** Runs `doctor`; returns the exit code, and the line of one check. */
async function lineOf(name: string, env: Record<string, string> = {}, address = unreachable) {
  // Without records, whose lists are requested one after the other.
  const all = { BITGET_BASE_URL: address, ...credentials(classic), ...everyDataset("0 0 1 1 *"), ...env };
  const { code, stdout, stderr } = await runInProcess(["doctor"], folder, all);
  return { code, stderr, line: stdout.split("\n").find((line) => line.slice(2).startsWith(`${name} `)) ?? "" };
}

/** Writes a database with one run of a minute's schedule. `age`: how long ago it was, milliseconds. */
async function record(age: number): Promise<void> {
  const store = await storeAt(path());
  const slot = Math.floor((Date.now() - age) / 60_000) * 60_000;
  await store.setSchedule("main", "spot-assets", "* * * * *", slot - 60_000);
  await collect(store, spotAssets, slot, { snapshots: [good([item(spotAssets, { coin: "BTC" })], slot)] });
  store.close();
}

/** Listens on a free port, and answers everything with a status and a text. */
async function listen(status: number, text: string): Promise<{ port: string; server: Server }> {
  const server = createServer((_, response) => response.writeHead(status).end(text));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  return { port: String((server.address() as AddressInfo).port), server };
}

const webhook = (port: string) => ({ ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}/hook-0123456789abcdef` });
const closedPort = { HEARTBEAT_URL: "http://127.0.0.1:9/beat-0123456789abcdef" };

describe("of a machine where all is well", () => {
  it("every check has a line with ✓, and JSON has the same results", async () => {
    const receiver = await startReceiver();
    await record(30_000);
    const env = {
      ...{ BITGET_BASE_URL: exchange.url, HTTP_PORT: "0", ALERT_WEBHOOK_URL: receiver.url },
      ...{ HEARTBEAT_URL: receiver.url, ...credentials(classic) },
    };
    expect((await runInProcess(["db", "backup", join(folder, "copy.db")], folder, env)).code).toBe(0);
    const { code, stdout } = await runInProcess(["check"], folder, env);
    const lines = stdout.trimEnd().split("\n");
    expect([code, lines.filter((line) => !line.startsWith("✓ "))]).toEqual([0, []]);
    const checks = [
      ...["node", ".env", "settings", "timezone", "database", "disk", "chain", "backup", "feeds", "port", "webhook"],
      ...["heartbeat", "clock", "account", "addresses", "records"],
    ];
    expect(lines.map((line) => line.split(" ")[1]).filter((name) => name !== "schedule")).toEqual(checks);
    expect(receiver.received).toEqual([]);
    const json = JSON.parse((await runInProcess(["doctor", "--json"], folder, env)).stdout);
    expect(json).toMatchObject({ schema_version: 1, ok: true });
    expect(json.checks.find((one: { check: string }) => one.check === "addresses")).toEqual({
      ...{ check: "addresses", state: "ok", message: "main: the key is bound to 127.0.0.1" },
    });
  });
});

describe("of this machine", () => {
  it.each([
    ["v20.18.9", "failed"],
    ["v18.20.0", "failed"],
    ["v20.19.0", "ok"],
    ["v24.1.0", "ok"],
  ])("Node.js %s is %s", (version, state) => {
    expect(checkNode(version).state).toBe(state);
  });

  it.each([
    ["none", "failed", /only 20 MB are free.*Free some space/],
    ["scarce", "warning", /only 20 MB are free.*collecting stops/],
    ["enough", "ok", /0\.0 GB are free/],
  ] as const)("a disk with %s space is %s", (level, state, message) => {
    expect(checkDisk("/x/c.db", { freeBytes: 20_000_000, level })).toMatchObject({
      state,
      message: expect.stringMatching(message),
    });
  });

  it("a .env that others can read is noted, and refused if it has keys", async () => {
    const file = join(folder, ".env");
    writeFileSync(file, "TIMEZONE=UTC\n");
    chmodSync(file, 0o644);
    expect((await lineOf(".env")).line).toMatch(/^! .*; chmod 600 .*\.env$/);
    writeFileSync(file, `BITGET_API_SECRET=${classic.secret}\n`);
    expect(await lineOf(".env")).toMatchObject({ code: 78, stderr: expect.stringContaining(`chmod 600 ${file}`) });
  });

  it("wrong settings are exit code 78, with every problem on stderr and in JSON", async () => {
    const env = { ...credentials(classic), TIMEZONE: "Mars/Olympus", HTTP_PORT: "a" };
    const text = await runInProcess(["doctor"], folder, env);
    expect([text.code, text.stdout]).toEqual([78, expect.stringContaining("✗ settings   2 problems, ")]);
    expect(text.stderr).toMatch(/TIMEZONE[\s\S]*HTTP_PORT|HTTP_PORT[\s\S]*TIMEZONE/);
    expect(text.stderr).not.toMatch(/bitget-collector (check|doctor)/);
    const json = await runInProcess(["doctor", "--json"], folder, env);
    expect(json.code).toBe(78);
    const { ok, checks } = JSON.parse(json.stdout);
    expect([ok, checks.filter((one: { state: string }) => one.state === "failed").length]).toEqual([false, 2]);
    expect(text.stdout).toContain("! settings   the rest is not checked until the settings are right");
  });

  it("without a key everything that needs none is checked, and the rest is named", async () => {
    await record(30_000);
    const env = { BITGET_BASE_URL: exchange.url, HTTP_PORT: "0", TIMEZONE: "Europe/Berlin", ...closedPort };
    const { code, stdout, stderr } = await runInProcess(["doctor"], folder, env);
    expect([code, stderr]).toEqual([78, expect.stringContaining("BITGET_API_KEY is missing")]);
    const lines = stdout.trimEnd().split("\n");
    const checks = ["node", ".env", "settings", "timezone", "database", "disk", "chain", "backup", "feeds", "port"];
    expect(lines.map((line) => line.split(" ")[1]).filter((name) => name !== "schedule")).toEqual([
      ...checks,
      ...["webhook", "heartbeat", "clock", "account"],
    ]);
    expect(stdout).toMatch(
      /^✓ timezone +days and reports are those of Europe\/Berlin, where it is \d{4}-\d\d-\d\d \d\d:\d\d$/m,
    );
    expect(stdout).toMatch(/^✗ heartbeat +127\.0\.0\.1 cannot be reached/m);
    expect(stdout).toMatch(/^✓ clock +public: the exchange is -?\d+ ms ahead/m);
    expect(stdout).toMatch(/^! account +not checked without a key: the mode of the account/m);
    expect(await runInProcess(["doctor"], folder, { ...env, BITGET_BASE_URL: unreachable })).toMatchObject({
      ...{ code: 78, stdout: expect.stringMatching(/^✗ clock .*check this machine's network/m) },
    });
  });

  it("a port of another program has failed, one of the dashboard is well", async () => {
    const other = await listen(200, "hello");
    expect((await lineOf("port", { HTTP_PORT: other.port })).line).toMatch(
      /^✗ port .*in use by another program; set HTTP_PORT/,
    );
    const own = await listen(503, '{"status":"stale"}');
    expect((await lineOf("port", { HTTP_PORT: own.port })).line).toMatch(/^✓ port +the dashboard answers/);
    expect(
      (await lineOf("port", { HTTP_HOST: "192.0.2.7", HTTP_PORT: "1", HTTP_TOKEN: "0123456789abcdef" })).line,
    ).toMatch(/^✗ port .*192\.0\.2\.7 is not an address of this machine/);
  });
});

describe("of the history", () => {
  it("a file that is no database has failed", async () => {
    writeFileSync(join(folder, "notes.db"), "not a database, but a text that is longer than its header ".repeat(20));
    const { line } = await lineOf("database", { DATABASE_URL: "file:./notes.db" });
    expect(line).toMatch(/^✗ database .*notes\.db/);
  });

  it("a chain that was not continued for a day is noted, one of the future has failed", async () => {
    await record(3 * dayMs);
    expect((await lineOf("chain")).line).toMatch(/^! chain +nothing was added for 3 d; .*start the collector/);
    await record(-2 * hourMs);
    expect((await lineOf("chain")).line).toMatch(/^✗ chain .*set this machine/);
  });

  it("stale feeds are noted while no collector runs, and have failed while one does", async () => {
    await record(hourMs);
    expect(await lineOf("feeds", {}, exchange.url)).toMatchObject({
      code: 0,
      line: expect.stringMatching(
        /^! feeds +1 of 1 are stale: main spot-assets; the collector is not running; start it/,
      ),
    });
    const lock = lockDatabase(path());
    onTestFinished(() => lock.release());
    expect((await lineOf("feeds")).line).toMatch(/^✗ feeds +1 of 1 are stale/);
  });

  it("a missing and an old backup are noted", async () => {
    await record(30_000);
    expect((await lineOf("backup")).line).toMatch(
      /^! backup +no copy of `db backup` is known; run `bitget-collector db backup PATH`/,
    );
    const note = (at: number) =>
      writeFileSync(`${path()}.backup.json`, JSON.stringify({ path: "/b/c.db", at: new Date(at).toISOString() }));
    note(Date.now() - 8 * dayMs);
    expect((await lineOf("backup")).line).toMatch(/^! backup +\/b\/c\.db is 8 d old; run/);
    note(Date.now() - 3 * hourMs);
    expect((await lineOf("backup")).line).toMatch(/^✓ backup +\/b\/c\.db is 3 h old$/);
  });
});

describe("of what tells people", () => {
  it("without webhook and heartbeat both are noted", async () => {
    expect((await lineOf("webhook")).line).toMatch(/^! webhook .*set ALERT_WEBHOOK_URL/);
    expect((await lineOf("heartbeat")).line).toMatch(/^! heartbeat .*set HEARTBEAT_URL/);
  });

  it("one that cannot be reached has failed, without its address being printed", async () => {
    const { code, line } = await lineOf("webhook", webhook("9"), exchange.url);
    expect([code, line]).toEqual([
      1,
      expect.stringMatching(/^✗ webhook +127\.0\.0\.1 cannot be reached \(ECONNREFUSED\)/),
    ]);
    expect(line).not.toContain("hook-0123456789abcdef");
    expect((await lineOf("heartbeat", closedPort)).line).toMatch(/^✗ heartbeat +127\.0\.0\.1 cannot be reached/);
  });

  it("a webhook that did not accept the last alert has failed", async () => {
    await record(30_000);
    const store = await storeAt(path());
    await store.alerts.record({
      ...noChanges,
      messages: [
        {
          ...{ kind: "drawdown", account: "main", what: "equity", alert: "one", state: "fired", at: Date.now() },
          ...{ value: "0.2", threshold: "0.1", sentence: "Alert: main: equity is low.", delivery: "pending" },
        },
      ],
    });
    await store.alerts.mark(1, { delivery: "given up", attempts: 3, nextAt: 0, problem: "responded with HTTP 500" });
    store.close();
    const { port } = await listen(200, "ok");
    expect((await lineOf("webhook", webhook(port))).line).toMatch(
      /^✗ webhook .*did not accept the last alert: responded with HTTP 500; try/,
    );
  });
});

describe("of an account", () => {
  it.each([
    ["account", { permissions: "trade" as const }, 0, 1, /^✗ account +main: .*not read-only/],
    ["addresses", {}, 0, 0, /^! addresses +main: the key works from any address; bind it/],
    ["clock", {}, 20_000, 0, /^! clock +main: the exchange is -\d+ ms ahead.*; set this machine's clock/],
    ["account", {}, 3_600_000, 1, /^✗ account +main: .*this machine's clock and the exchange's differ by 3600 s/],
  ])("%s of a key with %j, its exchange %d ms behind, is exit code %d", async (name, change, behindMs, code, line) => {
    const other = await startAccounts([{ ...classic, ...change }], behindMs);
    onTestFinished(() => other.close());
    expect(await lineOf(name, {}, other.url)).toMatchObject({ code, line: expect.stringMatching(line) });
  });

  it("a key that can write is noted where a setting allows it", async () => {
    const other = await startAccounts([{ ...classic, permissions: "trade" }]);
    onTestFinished(() => other.close());
    expect(await lineOf("account", { BITGET_ALLOW_WRITE_KEYS: "true" }, other.url)).toMatchObject({
      code: 0,
      line: expect.stringMatching(/^! account .*it can write \(.*\); create a read-only one$/),
    });
  });
});
