/** The daemon as a process: exclusive use of its database, signals, crashes, and what makes it stop. */
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SimulatedAccount, Simulator } from "../../src/simulator/simulator.ts";
import { startExchange } from "../support/exchange.ts";
import { temporaryFolder } from "../support/files.ts";
import { runInProcess } from "../support/in-process.ts";
import { run, start } from "../support/program.ts";
import { classic, credentials, everyDataset, unified } from "../support/settings.ts";
import { until } from "../support/wait.ts";

let exchange: Simulator;
let folder: string;
let env: Record<string, string>;
const path = () => join(folder, "data", "collector.db");

async function open(accounts: SimulatedAccount[] = [classic]): Promise<void> {
  await exchange?.close();
  exchange = await startExchange({ accounts });
  env = { ...credentials(classic), BITGET_BASE_URL: exchange.url };
}

beforeEach(async () => {
  folder = temporaryFolder();
  await open();
});
afterEach(() => exchange.close());

describe("the daemon", () => {
  it("has exclusive use of its database by any path: another process exits with 75 until the daemon has ended", async () => {
    const daemon = start(["start"], folder, { ...env, TIMZONE: "Asia/Tokyo" });
    await daemon.printed("TIMZONE is set but not used by this program; did you mean TIMEZONE?");
    await daemon.printed("collecting main");
    symlinkSync(path(), join(folder, "other.db"));
    const others = await Promise.all([
      run(["start"], folder, env),
      run(["collect"], folder, env),
      run(["collect"], folder, { ...env, DATABASE_URL: "file:./other.db" }),
    ]);
    expect(others.map(({ code }) => code)).toEqual([75, 75, 75]);
    daemon.child.kill("SIGKILL");
    await daemon.finished;
    expect((await runInProcess(["collect", "spot-assets"], folder, env)).code).toBe(0);
  });

  it("stops when its lock is removed, before another process can write", async () => {
    const daemon = start(["start"], folder, { ...env, SCHEDULE_SPOT_ASSETS: "* * * * * *" });
    await daemon.printed("main spot-assets ok");
    rmSync(`${path()}.lock`);
    const { code, stderr } = await daemon.finished;
    expect(code).toBe(74);
    expect(stderr).toContain("its lock was moved, deleted or replaced");
  });

  it("marks the runs that a killed daemon left open as failed, and continues", async () => {
    exchange.injectFault({ path: "/api/v2/spot/account/assets", hang: true });
    const every = { ...env, SCHEDULE_SPOT_ASSETS: "* * * * * *" };
    const first = start(["start"], folder, every);
    await first.printed("collecting main");
    await until(() => exchange.pendingFaults() === 0);
    first.child.kill("SIGKILL");
    await first.finished;
    const second = start(["start"], folder, every);
    await second.printed("main spot-assets ok");
    second.child.kill("SIGTERM");
    expect((await second.finished).code).toBe(0);
    const database = new Database(path(), { readonly: true });
    const ended = database.prepare("select state, cause from runs where cause = 'crashed'").all();
    expect(ended).toEqual([{ state: "failed", cause: "crashed" }]);
    expect(database.prepare("select count(*) from runs where state = 'running'").pluck().get()).toBe(0);
  });

  const everyThreeSeconds = { SCHEDULE_SPOT_ASSETS: "*/3 * * * * *", RUN_DEADLINE_SECONDS: "30" };

  it("finishes the current run on the first signal", async () => {
    const daemon = start(["start"], folder, { ...env, ...everyThreeSeconds });
    await daemon.printed("collecting main");
    exchange.injectFault({ path: "/api/v2/spot/account/assets", delayMs: 1000 });
    await until(() => exchange.pendingFaults() === 0);
    daemon.child.kill("SIGTERM");
    expect((await daemon.finished).code).toBe(0);
    const states = "select distinct state from runs where dataset = 'spot-assets'";
    expect(new Database(path(), { readonly: true }).prepare(states).pluck().all()).toEqual(["ok"]);
  });

  it("exits at once on the second signal", async () => {
    const daemon = start(["start"], folder, { ...env, ...everyThreeSeconds });
    await daemon.printed("collecting main");
    exchange.injectFault({ path: "/api/v2/spot/account/assets", hang: true });
    await until(() => exchange.pendingFaults() === 0);
    daemon.child.kill("SIGTERM");
    await daemon.printed("stopping");
    daemon.child.kill("SIGTERM");
    expect((await daemon.finished).code).toBe(143);
  });

  it("keeps running when its output is closed", async () => {
    const daemon = start(["start"], folder, { ...env, SCHEDULE_SPOT_ASSETS: "* * * * * *" });
    await daemon.printed("collecting main");
    daemon.child.stdout?.destroy();
    daemon.child.stderr?.destroy();
    const database = new Database(path(), { readonly: true });
    const before = Date.now();
    const isOn = database.prepare("select count(*) > 1 from runs where state = 'ok' and scheduled_for_ms > ?").pluck();
    await until(() => isOn.get(before) === 1);
    daemon.child.kill("SIGTERM");
    expect((await daemon.finished).code).toBe(0);
  });

  describe("with a key that can write", () => {
    beforeEach(() => open([{ ...classic, permissions: "trade" }, unified]));

    it("is refused; with no account left the program exits with 78", async () => {
      const { code, stderr } = await run(["start"], folder, env);
      expect(code).toBe(78);
      expect(stderr).toContain('the key of account "main" is not read-only');
      expect(stderr).toContain("BITGET_ALLOW_WRITE_KEYS=true");
    });

    it("is refused as soon as it is detected, where the permissions were unavailable at first", async () => {
      exchange.injectFault({ path: "/api/v2/spot/account/info", status: 503, body: "<html>busy</html>", times: 3 });
      const { code, stderr } = await run(["start"], folder, { ...env, SCHEDULE_SPOT_ASSETS: "* * * * * *" });
      expect(code).toBe(78);
      expect(stderr).toContain('the key of account "main" is not read-only');
    });
  });
});

it("status is fresh while a daemon collects, and stale with exit code 1 after two periods without a run", async () => {
  const daemon = start(["start"], folder, { ...env, ...everyDataset(""), SCHEDULE_SPOT_ASSETS: "*/10 * * * * *" });
  await daemon.printed("main spot-assets ok");
  const fresh = await runInProcess(["status", "--json"], folder);
  expect(fresh.code).toBe(0);
  expect(JSON.parse(fresh.stdout)).toMatchObject([
    { account: "main", dataset: "spot-assets", fresh: true, failures: [] },
  ]);
  daemon.child.kill("SIGTERM");
  await daemon.finished;
  const later = join(folder, "later");
  writeFileSync(later, "20000");
  const shim = { NODE_OPTIONS: `--require ${resolve("test/support/clock-shim.cjs")}`, CLOCK_OFFSET_FILE: later };
  const stale = await run(["status"], folder, shim);
  expect(stale.code).toBe(1);
  expect(stale.stdout).toMatch(/main +spot-assets +STALE/);
});
