/** The commands in real processes, with real files and the simulated exchange. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadCommands } from "../../src/commands/index.ts";
import { datasetNames, datasets } from "../../src/datasets/index.ts";
import type { SimulatedAccount, Simulator } from "../../src/simulator/simulator.ts";
import { startExchange } from "../support/exchange.ts";
import { temporaryFolder } from "../support/files.ts";
import { run, start } from "../support/program.ts";
import { classic, credentials, everyDataset, unified } from "../support/settings.ts";
import { until } from "../support/wait.ts";

const commands = await loadCommands();

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

describe("every command", () => {
  it.each(commands.map(({ name, hasOptions, options }) => ({ name, hasOptions, options })))(
    "$name is listed with options if it has any",
    ({ hasOptions, options }) => expect(hasOptions === true).toBe((options ?? []).length > 0),
  );

  it.each(commands.map(({ name }) => name))("%s has help with an example", async (name) => {
    const { code, stdout } = await run([...name.split(" "), "--help"], folder);
    expect(code).toBe(0);
    expect(stdout).toContain(`Examples:\n  bitget-collector ${name}`);
  });

  it.each([
    [["nonsense"]],
    [["status", "--nonsense"]],
    [["collect", "nonsense"]],
    [["collect", "--account", "nobody"]],
    [["get"]],
    [["get", "nonsense"]],
    [["get", "/api/v2/spot/account/assets", "--param", "nonsense"]],
    [["demo", "--seconds", "soon"]],
  ])("%j is a usage error", async (args) => {
    const { code, stdout, stderr } = await run(args, folder, env);
    expect([code, stdout]).toEqual([64, ""]);
    expect(stderr).not.toContain("    at ");
  });

  it.each([["start"], ["collect"], ["check"], ["get", "v2/spot-assets"]])(
    "%s names missing keys and creates nothing",
    async (...args) => {
      const { code, stderr } = await run(args, folder);
      expect(code).toBe(78);
      for (const setting of ["KEY", "SECRET", "PASSPHRASE"])
        expect(stderr).toContain(`BITGET_API_${setting} is missing`);
      expect(existsSync(path())).toBe(false);
    },
  );
});

describe("collect", () => {
  it("stores and prints one run of every dataset, and creates a database that only its owner can read", async () => {
    const { code, stdout, stderr } = await run(["collect"], folder, env);
    expect(code).toBe(0);
    const expected = datasets.map((one) => `${one.public ? "public" : "main"} ${one.name} ok`);
    expect(stdout.trim().split("\n").sort()).toEqual(expected.sort());
    expect(stderr).toContain("created a new database");
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  it("exits with 3 when some datasets failed and with 1 when all failed", async () => {
    exchange.misbehave({ path: "/api/v2/mix/position", params: { productType: "COIN-FUTURES" }, code: "40034" });
    expect((await run(["collect", "positions"], folder, env)).code).toBe(3);
    exchange.misbehave({ path: "/api/v2/mix/position", code: "40034", times: 4 });
    expect((await run(["collect", "positions"], folder, env)).code).toBe(1);
  });

  it("keeps accounts apart: a refused key does not affect the other account", async () => {
    await open([{ ...classic, secret: "another secret than the one we sign with" }, unified]);
    const both = { ...env, ...credentials(unified, "BITGET_HEDGE"), BITGET_ACCOUNTS: "main,hedge" };
    const { code, stdout, stderr } = await run(["collect", "spot-assets"], folder, both);
    expect(code).toBe(3);
    expect(stdout.trim().split("\n").sort()).toEqual(["hedge spot-assets ok", "main spot-assets failed"]);
    expect(stderr).toContain("40009");
  });
});

describe("a key that can write", () => {
  beforeEach(() => open([{ ...classic, permissions: "trade" }, unified]));

  it("is refused; with no account left the program exits with 78", async () => {
    const { code, stderr } = await run(["start"], folder, env);
    expect(code).toBe(78);
    expect(stderr).toContain('the key of account "main" may write');
    expect(stderr).toContain("BITGET_ALLOW_WRITE_KEYS=true");
  });

  it("is refused as soon as it is detected, where the permissions were unavailable at first", async () => {
    exchange.misbehave({ path: "/api/v2/spot/account/info", status: 503, body: "<html>busy</html>", times: 3 });
    const { code, stderr } = await run(["start"], folder, { ...env, SCHEDULE_SPOT_ASSETS: "* * * * * *" });
    expect(code).toBe(78);
    expect(stderr).toContain('the key of account "main" may write');
  });

  it("is used when a setting allows it", async () => {
    expect((await run(["collect", "spot-assets"], folder, { ...env, BITGET_ALLOW_WRITE_KEYS: "true" })).code).toBe(0);
  });

  it("does not affect the other accounts", async () => {
    const both = { ...env, ...credentials(unified, "BITGET_HEDGE"), BITGET_ACCOUNTS: "main,hedge" };
    const { stdout } = await run(["collect", "spot-assets"], folder, both);
    expect(stdout.trim().split("\n").sort()).toEqual(["hedge spot-assets ok", "main spot-assets failed"]);
  });
});

it("check shows settings, database, clock, account, key and the next three slots", async () => {
  const { code, stdout } = await run(["check"], folder, { ...env, TIMZONE: "Asia/Tokyo" });
  expect(code).toBe(0);
  expect(stdout).toContain("settings   ok");
  expect(stdout).toContain("settings   TIMZONE is set but not used by this program; did you mean TIMEZONE?");
  expect(stdout).toContain("does not exist yet");
  expect(stdout).toContain("main: classic account (v2); the key is read-only");
  expect(stdout.match(/next (\S+Z, ){2}\S+Z/g)).toHaveLength(datasetNames.length);
  expect(existsSync(path())).toBe(false);
});

it("check reports what is wrong with a key and exits with 1", async () => {
  const { code, stdout } = await run(["check"], folder, { ...env, BITGET_API_PASSPHRASE: "not-the-passphrase" });
  expect(code).toBe(1);
  expect(stdout).toContain("40012");
  expect(stdout).not.toContain("not-the-passphrase");
});

describe("get", () => {
  it("lists every endpoint by name", async () => {
    const { code, stdout } = await run(["get", "--list"], folder);
    expect(code).toBe(0);
    expect(stdout).toContain("v1/spot-assets-lite");
    expect(stdout).toContain("/api/mix/v1/position/allPosition-v2");
  });

  it.each([
    [["v1/spot-assets", "--param", "coin=BTC"]],
    [["v1/spot-assets-lite"]],
    [["v1/mix-account", "--param", "symbol=BTCUSDT_UMCBL", "--param", "marginCoin=USDT"]],
    [["v1/mix-accounts", "--param", "productType=umcbl"]],
    [["/api/mix/v1/position/allPosition", "--param", "productType=umcbl", "--param", "marginCoin=USDT"]],
    [["v1/positions-v2", "--param", "productType=sumcbl"]],
  ])("reaches the endpoint %j", async (args) => {
    await exchange.close();
    exchange = await startExchange({ accounts: [classic], v1: true });
    const { code, stdout } = await run(["get", ...args], folder, { ...env, BITGET_BASE_URL: exchange.url });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toBeTypeOf("object");
  });

  it("reports what the exchange refused and the setting to change", async () => {
    const { code, stdout, stderr } = await run(["get", "v1/spot-assets"], folder, env);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("30032");
    expect(stderr).toContain("BITGET_API_VERSION");
  });

  it("uses the fallback host only when the first cannot be reached", async () => {
    const fallback = { ...env, BITGET_BASE_URL: "http://127.0.0.1:9", BITGET_FALLBACK_BASE_URL: exchange.url };
    expect((await run(["get", "v2/spot-assets"], folder, fallback)).code).toBe(0);
  });
});

describe("the daemon", () => {
  it("has exclusive use of its database: a second daemon or a collect exits with 75 until the first has ended", async () => {
    const first = start(["start"], folder, env);
    await first.printed("collecting main");
    const [second, third] = await Promise.all([run(["start"], folder, env), run(["collect"], folder, env)]);
    expect([second.code, third.code]).toEqual([75, 75]);
    first.child.kill("SIGKILL");
    await first.finished;
    expect((await run(["collect", "spot-assets"], folder, env)).code).toBe(0);
  });

  it("has exclusive use also where the database is reached by another path", async () => {
    const first = start(["start"], folder, { ...env, TIMZONE: "Asia/Tokyo" });
    await first.printed("TIMZONE is set but not used by this program; did you mean TIMEZONE?");
    await first.printed("collecting main");
    symlinkSync(path(), join(folder, "other.db"));
    expect((await run(["collect"], folder, { ...env, DATABASE_URL: "file:./other.db" })).code).toBe(75);
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
    exchange.misbehave({ path: "/api/v2/spot/account/assets", hang: true });
    const every = { ...env, SCHEDULE_SPOT_ASSETS: "* * * * * *" };
    const first = start(["start"], folder, every);
    await first.printed("collecting main");
    await until(() => exchange.faults() === 0);
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

  it("finishes the current run on the first signal and exits at once on the second", async () => {
    const every = { ...env, SCHEDULE_SPOT_ASSETS: "* * * * * *", RUN_DEADLINE_SECONDS: "30" };
    const patient = start(["start"], folder, { ...every, SCHEDULE_SPOT_ASSETS: "*/3 * * * * *" });
    await patient.printed("main spot-assets ok");
    exchange.misbehave({ path: "/api/v2/spot/account/assets", delayMs: 1500 });
    await until(() => exchange.faults() === 0);
    patient.child.kill("SIGTERM");
    expect((await patient.finished).code).toBe(0);
    const database = new Database(path(), { readonly: true });
    expect(database.prepare("select distinct state from runs where dataset = 'spot-assets'").pluck().all()).toEqual([
      "ok",
    ]);
    const hasty = start(["start"], folder, { ...every, SCHEDULE_SPOT_ASSETS: "*/3 * * * * *" });
    await hasty.printed("main spot-assets ok");
    exchange.misbehave({ path: "/api/v2/spot/account/assets", hang: true });
    await until(() => exchange.faults() === 0);
    hasty.child.kill("SIGTERM");
    await hasty.printed("stopping");
    hasty.child.kill("SIGTERM");
    expect((await hasty.finished).code).toBe(143);
  });

  it("reads its settings from .env, and a secret from a file", async () => {
    writeFileSync(join(folder, "secret.txt"), `${classic.secret}\n`);
    const lines = Object.entries(env).map(([name, value]) =>
      name === "BITGET_API_SECRET" ? "BITGET_API_SECRET_FILE=secret.txt" : `${name}="${value}"`,
    );
    writeFileSync(join(folder, ".env"), lines.join("\n"), { mode: 0o600 });
    expect((await run(["collect", "spot-assets"], folder)).code).toBe(0);
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
});

describe("status", () => {
  it("is fresh while a daemon collects, and stale with exit code 1 after two periods without a run", async () => {
    const daemon = start(["start"], folder, { ...env, ...everyDataset(""), SCHEDULE_SPOT_ASSETS: "*/10 * * * * *" });
    await daemon.printed("main spot-assets ok");
    const fresh = await run(["status", "--json"], folder);
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

  it("needs a database and explains how to create one", async () => {
    const { code, stderr } = await run(["status"], folder);
    expect(code).toBe(78);
    expect(stderr).toContain("does not exist");
  });
});

describe("db", () => {
  it("verify passes for an intact database and finds one changed digit", async () => {
    await run(["collect", "spot-assets"], folder, env);
    expect((await run(["db", "verify"], folder)).code).toBe(0);
    const database = new Database(path());
    database.exec(
      "update spot_assets_steady set available = x'1B5F' where item_id = (select min(item_id) from spot_assets_steady)",
    );
    database.close();
    const { code, stdout } = await run(["db", "verify"], folder);
    expect(code).toBe(1);
    expect(stdout).toContain("spot-assets");
  });

  it("migrate creates a missing database", async () => {
    const { code, stdout } = await run(["db", "migrate"], folder);
    expect(code).toBe(0);
    expect(stdout).toBe(`${path()} is up to date: created empty\n`);
    expect((await run(["db", "verify"], folder)).code).toBe(0);
  });

  it("migrate creates the views of this version", async () => {
    await run(["collect", "spot-assets"], folder, env);
    const database = new Database(path());
    database.exec("drop view gaps; create view gaps as select 'of an older version' as was");
    expect((await run(["db", "migrate"], folder)).code).toBe(0);
    expect(database.prepare("select * from gaps").all()).toEqual([]);
  });

  it.each([
    ["an empty file", (file: string) => writeFileSync(file, "")],
    ["a text", (file: string) => writeFileSync(file, "no database at all, but long enough to look at".repeat(10))],
    ["a directory", (file: string) => mkdirSync(file)],
  ])("is refused where %s is in its place, which stays unchanged", async (_, make) => {
    mkdirSync(join(folder, "data"));
    make(path());
    const before = statSync(path()).isFile() ? readFileSync(path()) : null;
    const { code, stderr } = await run(["collect"], folder, env);
    expect(code).toBe(78);
    expect(stderr).toContain(path());
    expect(statSync(path()).isFile() ? readFileSync(path()) : null).toEqual(before);
  });
});

it("prints no secret, whatever happens", async () => {
  for (const message of [classic.key, classic.secret, classic.passphrase])
    exchange.misbehave({ path: "/api/v2/spot/account/assets", code: "40099", message: `echo ${message}`, times: 1 });
  let text = "";
  for (let n = 0; n < 3; n += 1) {
    const { stdout, stderr } = await run(["collect", "spot-assets"], folder, { ...env, LOG_LEVEL: "trace" });
    text += stdout + stderr;
  }
  text += readFileSync(path(), "latin1");
  expect(exchange.faults()).toBe(0);
  for (const secret of [classic.key, classic.secret, classic.passphrase])
    for (const form of [
      secret,
      Buffer.from(secret).toString("base64"),
      Buffer.from(secret).toString("hex"),
      encodeURIComponent(secret),
    ])
      expect(text).not.toContain(form);
});
