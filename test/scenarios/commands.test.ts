/** The commands with real files and the simulated exchange, in this process where a child process would add nothing. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { loadCommands } from "../../src/commands/index.ts";
import { datasets, isOnByDefault } from "../../src/datasets/index.ts";
import type { SimulatedAccount, Simulator } from "../../src/simulator/simulator.ts";
import { startExchange } from "../support/exchange.ts";
import { temporaryFolder } from "../support/files.ts";
import { fetchOnce } from "../support/http.ts";
import { runInProcess } from "../support/in-process.ts";
import { run } from "../support/program.ts";
import { classic, credentials, unified } from "../support/settings.ts";
import { until } from "../support/wait.ts";

const onByDefault = datasets.filter(isOnByDefault);

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
    const { code, stdout } = await runInProcess([...name.split(" "), "--help"], folder);
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
    const { code, stdout, stderr } = await runInProcess(args, folder, env);
    expect([code, stdout]).toEqual([64, ""]);
    expect(stderr).not.toContain("    at ");
  });

  it.each([["start"], ["collect"], ["check"], ["get", "v2/spot-assets"]])(
    "%s names missing keys and creates nothing",
    async (...args) => {
      const { code, stderr } = await runInProcess(args, folder);
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
    const expected = onByDefault.map((one) => `${one.public ? "public" : "main"} ${one.name} ok`);
    expect(stdout.trim().split("\n").sort()).toEqual(expected.sort());
    expect(stderr).toContain("created a new database");
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  it("exits with 3 when some datasets failed and with 1 when all failed", async () => {
    exchange.injectFault({ path: "/api/v2/mix/position", params: { productType: "COIN-FUTURES" }, code: "40034" });
    expect((await runInProcess(["collect", "positions"], folder, env)).code).toBe(3);
    exchange.injectFault({ path: "/api/v2/mix/position", code: "40034", times: 4 });
    expect((await runInProcess(["collect", "positions"], folder, env)).code).toBe(1);
  });

  it("keeps accounts apart: a refused key does not affect the other account", async () => {
    await open([{ ...classic, secret: "another secret than the one we sign with" }, unified]);
    const both = { ...env, ...credentials(unified, "BITGET_HEDGE"), BITGET_ACCOUNTS: "main,hedge" };
    const { code, stdout, stderr } = await runInProcess(["collect", "spot-assets"], folder, both);
    expect(code).toBe(3);
    expect(stdout.trim().split("\n").sort()).toEqual(["hedge spot-assets ok", "main spot-assets failed"]);
    expect(stderr).toContain("40009");
  });
});

describe("a key that can write", () => {
  beforeEach(() => open([{ ...classic, permissions: "trade" }, unified]));

  it("is used when a setting allows it", async () => {
    expect(
      (await runInProcess(["collect", "spot-assets"], folder, { ...env, BITGET_ALLOW_WRITE_KEYS: "true" })).code,
    ).toBe(0);
  });

  it("does not affect the other accounts", async () => {
    const both = { ...env, ...credentials(unified, "BITGET_HEDGE"), BITGET_ACCOUNTS: "main,hedge" };
    const { stdout } = await runInProcess(["collect", "spot-assets"], folder, both);
    expect(stdout.trim().split("\n").sort()).toEqual(["hedge spot-assets ok", "main spot-assets failed"]);
  });
});

it("check names the records that the key may not read, and what to do", async () => {
  const paths = ["/api/v2/margin/crossed/financial-records", "/api/v2/spot/account/sub-main-trans-record"];
  for (const path of paths) exchange.injectFault({ path, code: "40014", times: 2 });
  const { code, stdout } = await runInProcess(["check"], folder, env);
  exchange.clearFaults();
  expect(code).toBe(0);
  expect(stdout.match(/^! records .*/gm)).toEqual([
    expect.stringMatching(/^! records {4}main: bills of margin-crossed: .*40014.*give the key this permission/),
    expect.stringMatching(/^! records {4}main: transfers of initiator: .*40014/),
    expect.stringMatching(/^! records {4}main: transfers of receiver: .*40014/),
  ]);
});

it("check shows settings, database, clock, account, key and the next three slots", async () => {
  const { code, stdout } = await runInProcess(["check"], folder, { ...env, TIMZONE: "Asia/Tokyo" });
  expect(code).toBe(0);
  expect(stdout).toContain("settings   ok");
  expect(stdout).toContain("settings   TIMZONE is set but not used by this program; did you mean TIMEZONE?");
  expect(stdout).toContain("does not exist yet");
  expect(stdout).toContain("main: classic account (v2); the key is read-only");
  expect(stdout).toContain("records    main: the key may read all records that are collected");
  expect(stdout.match(/next (\S+Z, ){2}\S+Z/g)).toHaveLength(onByDefault.length);
  expect(existsSync(path())).toBe(false);
});

it("check covers the accounts of a file, and refuses one that others can read", async () => {
  await open([classic, unified]);
  const file = join(folder, "accounts.json");
  const { key, secret, passphrase } = unified;
  writeFileSync(file, JSON.stringify([{ name: "hedge", key, secret, passphrase }]), { mode: 0o600 });
  const both = { ...env, BITGET_ACCOUNTS_FILE: file };
  const { code, stdout } = await run(["check"], folder, both);
  expect(code).toBe(0);
  expect(stdout).toContain(`settings   ok; 2 accounts, with those of ${file}`);
  expect(stdout).toContain("main: classic account (v2); the key is read-only");
  expect(stdout).toContain("hedge: unified account (v3); the key is read-only");
  chmodSync(file, 0o644);
  const refused = await run(["check"], folder, both);
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain(`chmod 600 ${file}`);
});

it("check asks about several accounts at the same time, and prints them in their order", async () => {
  await open([classic, unified]);
  // The first response is sent when both accounts have made a request.
  const keys = new Set<unknown>();
  const relay = createServer(async (request, response) => {
    const key = request.headers["access-key"];
    if (key) await until(() => keys.add(key).size === 2);
    const headers = Object.entries(request.headers).filter(([name]) => name.startsWith("access-"));
    const found = await fetchOnce(`${exchange.url}${request.url}`, { headers: Object.fromEntries(headers) as never });
    response.writeHead(found.status, { "content-type": "application/json" }).end(await found.text());
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void relay.close());
  const both = { ...env, ...credentials(unified, "BITGET_HEDGE"), BITGET_ACCOUNTS: "main,hedge" };
  const { code, stdout } = await runInProcess(["check"], folder, {
    ...both,
    BITGET_BASE_URL: `http://127.0.0.1:${(relay.address() as AddressInfo).port}`,
  });
  expect([code, stdout]).toEqual([0, expect.stringMatching(/main: classic account[\s\S]*hedge: unified account/)]);
});

it("check reports what is wrong with a key and exits with 1", async () => {
  const { code, stdout } = await runInProcess(["check"], folder, {
    ...env,
    BITGET_API_PASSPHRASE: "not-the-passphrase",
  });
  expect(code).toBe(1);
  expect(stdout).toContain("40012");
  expect(stdout).not.toContain("not-the-passphrase");
});

it("check advises what to do where the exchange cannot be reached", async () => {
  const { code, stdout } = await runInProcess(["check"], folder, { ...env, BITGET_BASE_URL: "http://127.0.0.1:9" });
  expect(code).toBe(1);
  expect(stdout).toContain(
    "no response from 127.0.0.1 (ECONNREFUSED); check this machine's network and name resolution, and HTTPS_PROXY if",
  );
});

describe("get", () => {
  it("lists every endpoint by name", async () => {
    const { code, stdout } = await runInProcess(["get", "--list"], folder);
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
    const { code, stdout } = await runInProcess(["get", ...args], folder, { ...env, BITGET_BASE_URL: exchange.url });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toBeTypeOf("object");
  });

  it("reports what the exchange refused and the setting to change", async () => {
    const { code, stdout, stderr } = await runInProcess(["get", "v1/spot-assets"], folder, env);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("30032");
    expect(stderr).toContain("BITGET_API_VERSION");
  });

  it("uses the fallback host only when the first cannot be reached", async () => {
    const fallback = { ...env, BITGET_BASE_URL: "http://127.0.0.1:9", BITGET_FALLBACK_BASE_URL: exchange.url };
    expect((await runInProcess(["get", "v2/spot-assets"], folder, fallback)).code).toBe(0);
  });
});

describe("status", () => {
  it("needs a database and explains how to create one", async () => {
    const { code, stderr } = await runInProcess(["status"], folder);
    expect(code).toBe(78);
    expect(stderr).toContain("does not exist");
  });
});

describe("db", () => {
  it("verify passes for an intact database and finds one changed digit", async () => {
    await runInProcess(["collect", "spot-assets"], folder, env);
    expect((await runInProcess(["db", "verify"], folder)).code).toBe(0);
    const database = new Database(path());
    database.exec(
      "update spot_assets_steady set available = x'1B5F' where item_id = (select min(item_id) from spot_assets_steady)",
    );
    database.close();
    const { code, stdout } = await runInProcess(["db", "verify"], folder);
    expect(code).toBe(1);
    expect(stdout).toContain("spot-assets");
  });

  it("migrate creates a missing database", async () => {
    const { code, stdout } = await runInProcess(["db", "migrate"], folder);
    expect(code).toBe(0);
    expect(stdout).toBe(`${path()} is up to date: created empty\n`);
    expect((await runInProcess(["db", "verify"], folder)).code).toBe(0);
  });

  it("migrate creates the views of this version", async () => {
    await runInProcess(["collect", "spot-assets"], folder, env);
    const database = new Database(path());
    database.exec("drop view gaps; create view gaps as select 'of an older version' as was");
    expect((await runInProcess(["db", "migrate"], folder)).code).toBe(0);
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
    const { code, stderr } = await runInProcess(["collect"], folder, env);
    expect(code).toBe(78);
    expect(stderr).toContain(path());
    expect(statSync(path()).isFile() ? readFileSync(path()) : null).toEqual(before);
  });
});

it("the program reads its settings from .env, and a secret from a file", async () => {
  writeFileSync(join(folder, "secret.txt"), `${classic.secret}\n`);
  const lines = Object.entries(env).map(([name, value]) =>
    name === "BITGET_API_SECRET" ? "BITGET_API_SECRET_FILE=secret.txt" : `${name}="${value}"`,
  );
  writeFileSync(join(folder, ".env"), lines.join("\n"), { mode: 0o600 });
  expect((await run(["collect", "spot-assets"], folder)).code).toBe(0);
});

it("prints no secret, whatever happens", async () => {
  const messages = {
    "/api/v2/spot/account/assets": classic.key,
    "/api/v2/account/funding-assets": classic.secret,
    "/api/v2/spot/market/tickers": classic.passphrase,
  };
  for (const [path, message] of Object.entries(messages))
    exchange.injectFault({ path, code: "40099", message: `echo ${message}` });
  const { stdout, stderr } = await run(["collect"], folder, { ...env, LOG_LEVEL: "trace" });
  const text = stdout + stderr + readFileSync(path(), "latin1");
  expect(exchange.pendingFaults()).toBe(0);
  for (const secret of [classic.key, classic.secret, classic.passphrase])
    for (const form of [
      secret,
      Buffer.from(secret).toString("base64"),
      Buffer.from(secret).toString("hex"),
      encodeURIComponent(secret),
    ])
      expect(text).not.toContain(form);
});
