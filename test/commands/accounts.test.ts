/** `accounts discover` and the names of sub-accounts in other commands, with the simulated exchange. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import { startExchange } from "../support/exchange.ts";
import { temporaryFolder } from "../support/files.ts";
import { runInProcess } from "../support/in-process.ts";
import { classic, credentials, unified } from "../support/settings.ts";

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
  return { folder, exchange, run: (...args: string[]) => runInProcess(args, folder, env) };
}

const own = ["funding-assets", "positions", "equity"];
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
  const settings = { SUB_ACCOUNTS_OF: "main", BITGET_PRODUCT_TYPES: "umcbl" };

  it("is accepted wherever an account is named", async () => {
    const { folder, run } = await open([main], settings);

    const collected = await run("collect", "spot-assets", "mix-accounts", "--account", "main/1001");
    const history = await run("history", "spot-assets", "--account", "main/1001", "--format", "json");
    const exported = await run("export", "spot-assets", "--out", "rows.csv");
    const report = await run("report", "balances", "--account", "main/1001", "--from", "2020-01-01");

    expect(collected.stdout).toMatch(/^main\/1001 spot-assets ok$/m);
    expect(collected.stdout).toMatch(/^main\/1001 mix-accounts ok$/m);
    expect(collected.stdout.trim().split("\n")).toHaveLength(2);
    expect(JSON.parse(history.stdout)[0]).toMatchObject({ account: "main/1001" });
    expect(readFileSync(join(folder, "rows.csv"), "utf8")).toContain("main/1001");
    expect([collected, history, exported, report].map(({ code, stderr }) => [code, code && stderr])).toEqual(
      Array.from({ length: 4 }, () => [0, 0]),
    );
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
