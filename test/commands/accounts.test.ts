/** `accounts discover` and the names of sub-accounts in other commands, with the simulated exchange. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { recordDatasets } from "../../src/datasets/index.ts";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import { serve } from "../../src/web/server.ts";
import { openSite } from "../../src/web/site.ts";
import { startExchange } from "../support/exchange.ts";
import { temporaryFolder } from "../support/files.ts";
import { fetchOnce } from "../support/http.ts";
import { runInProcess } from "../support/in-process.ts";
import { start } from "../support/program.ts";
import { classic, credentials, everyDataset, unified } from "../support/settings.ts";

const subAccounts = [
  { uid: "1001", name: "alpha", label: "Alpha", mode: "classic" as const },
  { uid: "1002", name: "beta", mode: "unified" as const, state: "freeze" as const },
];

/** Runs a command with the settings of these accounts and of what is to be collected of their sub-accounts. */
async function open(accounts: SimulatedAccount[], settings: Record<string, string> = {}) {
  const exchange = await startExchange({ accounts });
  onTestFinished(() => exchange.close());
  const folder = temporaryFolder();
  const env = {
    BITGET_BASE_URL: exchange.url,
    BITGET_ACCOUNTS: accounts.map(({ name }) => name).join(","),
    ...Object.assign(
      {},
      ...accounts.map((one) => credentials(one, one.name === "main" ? "BITGET" : `BITGET_${one.name.toUpperCase()}`)),
    ),
    ...settings,
  };
  return { folder, exchange, env, run: (...args: string[]) => runInProcess(args, folder, env) };
}

/** Returns the status and text of a page of the dashboard over a database. */
async function pageOf(databasePath: string, page: string): Promise<[number, string]> {
  const site = openSite({ databasePath, timezone: "UTC", sqlTimeoutSeconds: 10 }, null);
  const serving = await serve(site, { host: "127.0.0.1", port: 0, token: null, names: [] }, () => {});
  try {
    const response = await fetchOnce(new URL(page, serving.url));
    return [response.status, await response.text()];
  } finally {
    serving.close();
    site.close();
  }
}

const records = recordDatasets.map(({ name }) => name);
const own = ["funding-assets", "positions", "equity", ...records];
const main = { ...classic, addresses: "127.0.0.1", subAccounts };

describe("accounts discover", () => {
  it("lists the sub-accounts of a classic main key; the list does not contain their mode", async () => {
    const { run } = await open([main]);

    const { code, stdout } = await run("accounts", "discover", "--json");

    const both = { account: "main", mode: null, withMainKey: ["spot-assets", "mix-accounts"], withOwnKey: own };
    expect(JSON.parse(stdout)).toMatchObject([
      {
        ...both,
        uid: "1002",
        name: "bet****@virtual-bitget.com",
        label: null,
        state: "freeze",
        collectedAs: "main/1002",
      },
      {
        ...both,
        uid: "1001",
        name: "alp****@virtual-bitget.com",
        label: "Alpha",
        state: "normal",
        collectedAs: "main/1001",
      },
    ]);
    expect(code).toBe(0);
  });

  it("lists the sub-accounts of a unified main key, and that classic ones need a key of their own", async () => {
    const { run } = await open([{ ...unified, subAccounts }]);

    const { code, stdout } = await run("accounts", "discover", "--account", "hedge", "--json");
    const table = await run("accounts", "discover");

    expect(JSON.parse(stdout)).toMatchObject([
      { uid: "1002", mode: "unified", collectedAs: "hedge/1002", withMainKey: ["spot-assets", "mix-accounts"] },
      {
        uid: "1001",
        mode: "classic",
        collectedAs: null,
        withMainKey: [],
        withOwnKey: ["spot-assets", ...own.slice(0, 1), "mix-accounts", ...own.slice(1)],
      },
    ]);
    expect(table.stdout).toMatch(
      /hedge +1001 +alp\*{4}@virtual-bitget.com +Alpha +classic +normal +nothing +spot-assets, /,
    );
    expect([code, table.code]).toEqual([0, 0]);
  });

  it("reads all pages", async () => {
    const many = Array.from({ length: 230 }, (_, at) => ({
      uid: String(5000 + at),
      name: "many",
      mode: "unified" as const,
      isEmpty: true,
    }));
    const { run, exchange } = await open([{ ...unified, subAccounts: many }]);

    const { stdout } = await run("accounts", "discover", "--json");

    expect(
      JSON.parse(stdout)
        .map(({ uid }: { uid: string }) => uid)
        .sort(),
    ).toEqual(many.map(({ uid }) => uid));
    expect(exchange.counts.limitViolations).toBe(0);
  });

  it.each([
    [
      "of a key that is not bound to an address",
      { ...main, addresses: "" },
      /bound to an internet address.*bind it.*\(40014\)/,
    ],
    [
      "of the key of a sub-account",
      { ...main, subAccountOf: "77" },
      /belongs to a sub-account of 77; only a key of the main account.*\(40068\)/,
    ],
    [
      "without the permission",
      { ...main, forbidden: ["/api/v2/user"] },
      /give it read permission for sub-accounts.*\(40014\)/,
    ],
    [
      "without the permission of a unified account",
      { ...unified, forbidden: ["/api/v3/user"] },
      /give it read permission for UTA management \(40014\)/,
    ],
  ])("says what to do %s", async (_, account, problem) => {
    const { run } = await open([account], { BITGET_ALLOW_WRITE_KEYS: "true" });

    const { code, stdout, stderr } = await run("accounts", "discover");

    expect(stderr).toMatch(problem);
    expect([code, stdout]).toEqual([1, ""]);
  });

  it("prints the lists of the other accounts if one cannot be read", async () => {
    const { run } = await open([main, { ...unified, subAccountOf: "77" }]);

    const { code, stdout, stderr } = await run("accounts", "discover", "--json");

    expect(JSON.parse(stdout)).toHaveLength(2);
    expect(stderr).toMatch(/^account hedge: /);
    expect(code).toBe(1);
  });

  it("refuses an unknown account", async () => {
    const { run } = await open([main]);

    expect((await run("accounts", "discover", "--account", "other")).code).toBe(64);
  });
});

describe("the name of a sub-account", () => {
  const settings = { SUB_ACCOUNTS_OF: "main", BITGET_PRODUCT_TYPES: "umcbl", LOG_LEVEL: "warn" };

  it("is accepted wherever an account is named: commands, files, pages", async () => {
    const { folder, run } = await open([main], settings);

    const collected = await run("collect", "spot-assets", "mix-accounts", "--account", "main/1001");
    const history = await run("history", "spot-assets", "--account", "main/1001", "--format", "json");
    const exported = await run("export", "spot-assets", "--out", "rows.csv");
    const report = await run("report", "balances", "--account", "main/1001", "--from", "2020-01-01");
    const imported = await runInProcess(["db", "import", "rows.csv"], folder, {
      DATABASE_URL: "file:copy.db",
      LOG_LEVEL: "warn",
    });
    const page = await pageOf(join(folder, "data", "collector.db"), "/balances?account=main%2F1001");

    expect(collected.stdout.trim().split("\n").sort()).toEqual([
      "main/1001 mix-accounts ok",
      "main/1001 spot-assets ok",
    ]);
    expect(JSON.parse(history.stdout)[0]).toMatchObject({ account: "main/1001" });
    const rows = readFileSync(join(folder, "rows.csv"), "utf8").trim().split("\n").slice(1);
    expect(rows.filter((row) => row.startsWith("main/1001,"))).toEqual(rows);
    expect(page).toEqual([200, expect.stringContaining("main%2F1001")]);
    for (const { code, stderr } of [collected, history, exported, report, imported])
      expect([code, stderr]).toEqual([0, ""]);
  });

  it("is refused if the main account does not list it, or is not a main account", async () => {
    const { run } = await open([main], settings);

    const unlisted = await run("collect", "spot-assets", "--account", "main/9");
    const other = await run("collect", "spot-assets", "--account", "hedge/1001");

    expect([unlisted.code, other.code]).toEqual([64, 64]);
    expect(unlisted.stderr).toContain("does not list");
    expect(other.stderr).toContain("accounts: main, main/…");
  });
});

it("a list that cannot be read does not keep `collect` and `check` from the other accounts", async () => {
  const { run } = await open([{ ...main, addresses: "" }], {
    SUB_ACCOUNTS_OF: "main",
    BITGET_ALLOW_WRITE_KEYS: "true",
  });

  const collected = await run("collect", "spot-assets");
  const checked = await run("check");

  expect([collected.code, collected.stdout]).toEqual([3, "main spot-assets ok\n"]);
  expect(collected.stderr).toMatch(/^the sub-accounts of main cannot be listed: .*bound to an internet address/m);
  expect(checked.code).toBe(1);
  expect(checked.stdout).toMatch(/main: its sub-accounts cannot be listed: .*bound to an internet address/);
});

it("`start` collects the sub-accounts that it finds", async () => {
  const { folder, env } = await open([{ ...unified, subAccounts }], {
    SUB_ACCOUNTS_OF: "hedge",
    SCHEDULE_SUB_ACCOUNTS: "*/2 * * * * *",
    LOG_LEVEL: "debug",
    ...everyDataset(""),
  });
  const daemon = start(["start"], folder, env);

  await daemon.printed("sub-accounts: 1 new");
  await daemon.printed(/hedge\/1002 spot-assets[^\n]*ok/);
  daemon.child.kill("SIGTERM");

  expect((await daemon.finished).code).toBe(0);
  expect((await runInProcess(["db", "verify"], folder, env)).code).toBe(0);
});
