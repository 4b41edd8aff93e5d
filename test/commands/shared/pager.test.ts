import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { takeGlobalOptions } from "../../../src/commands/global-options.ts";
import { PagedOutput, pagerOf } from "../../../src/commands/shared/pager.ts";
import { collect, good, item, start } from "../../store/kit.ts";
import { spotAssets } from "../../store/minutes.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { temporaryFolder } from "../../support/files.ts";
import { run } from "../../support/program.ts";
import { hasTerminals, runOnTerminal } from "../../support/terminal.ts";

it.each([
  [{ PATH: "/nowhere" }, null],
  [{ PAGER: "", PATH: "/bin" }, null],
  [{ PAGER: " ", PATH: "/bin" }, null],
  [{ PAGER: "sh -e", PATH: "/bin" }, "sh -e"],
  [{ PAGER: "sh -e", TERM: "dumb", PATH: "/bin" }, null],
  [{ PAGER: "no-such-pager -x", PATH: "/bin" }, null],
  [{ PAGER: "/no/such/pager" }, null],
  [{ PAGER: "LESS=F less | cat" }, "LESS=F less | cat"],
])("the pager of %j is %j", (env, expected) => {
  expect(pagerOf(env)).toBe(expected);
});

it("--no-pager may be anywhere before --", () => {
  const colour = "auto";
  expect(takeGlobalOptions(["--no-pager", "status"])).toEqual({
    options: { colour, mayPage: false },
    rest: ["status"],
  });
  expect(takeGlobalOptions(["status", "--no-pager", "--", "x"]).rest).toEqual(["status", "--", "x"]);
  expect(takeGlobalOptions(["sql", "--", "--no-pager"])).toEqual({
    options: { colour, mayPage: true },
    rest: ["sql", "--", "--no-pager"],
  });
});

it("what fits the screen is printed as it is, and messages after the results that they follow", async () => {
  const printed: string[] = [];
  const direct = {
    put: () => {},
    write: async (text: string) => printed.push(text) > 0,
    printError: (line: string) => void printed.push(line),
  };
  const output = new PagedOutput("false", { columns: 10, rows: 4 }, direct);
  output.printError("first");
  output.put("one\n");
  output.printError("last");
  // Takes two lines of the screen, colours none.
  output.put("\u001b[31m123456789012345\u001b[0m\n");
  await output.end();
  expect(printed).toEqual(["first", "one\n\u001b[31m123456789012345\u001b[0m\n", "last"]);
});

const rows = 60;
const hasLess = spawnSync("less", ["--version"]).status === 0;

/** Returns the settings of a database with so many balances. */
async function database(): Promise<Record<string, string>> {
  const path = temporaryPath();
  const store = await open(path);
  const items = Array.from({ length: rows }, (_, n) => item(spotAssets, { coin: `C${n + 10}` }));
  await collect(store, spotAssets, start, { snapshots: [good(items, start)] });
  store.close();
  return { DATABASE_URL: `file:${path}` };
}

/** Returns a pager that writes what it gets, and its environment, to files beside it. */
function recordingPager(before = ""): { path: string; text(): string; environment(): string } {
  const path = join(temporaryFolder(), "pager");
  writeFileSync(path, `#!/bin/sh\n${before}\nenv > "$0.env"\nexec cat > "$0.text"\n`);
  chmodSync(path, 0o755);
  const text = (kind: string) => readFileSync(`${path}.${kind}`, "utf8");
  return { path, text: () => text("text"), environment: () => text("env") };
}

const long = ["sql", "select coin from spot_assets_latest", "--format", "csv"];
const short = ["sql", "select coin from spot_assets_latest limit 3", "--format", "csv"];

describe.skipIf(!hasTerminals)("on a terminal", () => {
  it("results that are longer than the screen go to PAGER, with all their lines", async () => {
    const pager = recordingPager();
    const { code, stdout } = await runOnTerminal(long, temporaryFolder(), { ...(await database()), PAGER: pager.path });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(pager.text().trimEnd().split(/\r?\n/)).toHaveLength(rows + 1);
  });

  it("messages are printed after the pager, and the exit code is that of the command", async () => {
    const pager = recordingPager();
    const env = await database();
    const given = { ...env, PAGER: pager.path };
    const { stdout } = await runOnTerminal(["history", "spot-assets"], temporaryFolder(), given);
    expect(stdout).toContain("The newest 50 rows; there are more.");
    const path = env.DATABASE_URL?.slice("file:".length) ?? "";
    const store = await open(path);
    for (let n = 0; n < 30; n += 1) await store.setSchedule(`account${n}`, "spot-assets", "* * * * *", start);
    store.close();
    expect(await runOnTerminal(["status"], dirname(path), given)).toMatchObject({ code: 1, stdout: "" });
    expect(pager.text()).toContain("STALE");
  });

  it.each([
    ["results that fit the screen", short, {}],
    ["--no-pager", [...long, "--no-pager"], {}],
    ["an empty PAGER", long, { PAGER: "" }],
    ["a PAGER that is not installed", long, { PAGER: "no-such-pager" }],
  ])("there is no pager for %s", async (_, args, more) => {
    const pager = recordingPager();
    const { code, stdout } = await runOnTerminal(args, temporaryFolder(), {
      ...(await database()),
      PAGER: pager.path,
      ...more,
    });
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\r\n")).toHaveLength(args === short ? 4 : rows + 1);
  });

  it("keys are not in the environment of the pager", async () => {
    const pager = recordingPager();
    const keys = { BITGET_API_KEY: "bg_canary", BITGET_HEDGE_API_SECRET: "canary", BITGET_API_PASSPHRASE: "canary" };
    await runOnTerminal(long, temporaryFolder(), { ...(await database()), ...keys, PAGER: pager.path });
    expect(pager.environment()).toContain("PAGER=");
    expect(pager.environment()).not.toContain("canary");
  });

  it.skipIf(!hasLess)("quitting `less` early is no error", async () => {
    const many = [
      "sql",
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000) select i from n",
    ];
    const { code, stdout } = await runOnTerminal([...many, "--format", "ndjson"], temporaryFolder(), await database(), [
      [":", "q"],
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('{"i":23}');
    expect(stdout).not.toContain('{"i":100}');
  });

  it("Ctrl-C, which the whole terminal gets, is for the pager alone", async () => {
    const pager = recordingPager("trap '' INT; kill -INT 0");
    const { code } = await runOnTerminal(long, temporaryFolder(), { ...(await database()), PAGER: pager.path });
    expect(code).toBe(0);
    expect(pager.text()).toContain(`C${rows + 9}`);
  });
});

it("a pipe gets the results without a pager", async () => {
  const pager = recordingPager();
  const { code, stdout } = await run(long, temporaryFolder(), {
    ...(await database()),
    PAGER: pager.path,
    TERM: "xterm",
  });
  expect(code).toBe(0);
  expect(stdout.trimEnd().split("\r\n")).toHaveLength(rows + 1);
});
