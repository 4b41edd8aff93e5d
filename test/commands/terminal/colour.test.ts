import { dirname } from "node:path";
import { expect, it } from "vitest";
import { isColoured, takeColour } from "../../../src/commands/terminal/colour.ts";
import { collect, good, item, start } from "../../store/kit.ts";
import { spotAssets } from "../../store/minutes.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { runInProcess } from "../../support/in-process.ts";

it.each([
  ["auto", {}, true, true],
  ["auto", {}, false, false],
  ["auto", { TERM: "dumb" }, true, false],
  ["auto", { NO_COLOR: "1", CLICOLOR_FORCE: "1" }, true, false],
  ["auto", { NO_COLOR: "" }, true, true],
  ["auto", { CLICOLOR_FORCE: "1" }, false, true],
  ["auto", { CLICOLOR_FORCE: "0" }, false, false],
  ["always", { NO_COLOR: "1" }, false, true],
  ["never", { CLICOLOR_FORCE: "1" }, true, false],
] as const)("--color %s with %j, on a terminal: %s, colours: %s", (choice, env, isTerminal, expected) => {
  expect(isColoured(choice, env, isTerminal)).toBe(expected);
});

it("--color may be anywhere before --", () => {
  expect(takeColour(["--color", "never", "status"])).toEqual({ choice: "never", rest: ["status"] });
  expect(takeColour(["status", "--color=always", "--json"])).toEqual({ choice: "always", rest: ["status", "--json"] });
  expect(takeColour(["sql", "--", "--color"])).toEqual({ choice: "auto", rest: ["sql", "--", "--color"] });
});

it("status and tables are coloured on request only: a stale dataset red, heads dim", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", "spot-assets", "* * * * *", start - 60_000);
  await collect(store, spotAssets, start, { snapshots: [good([item(spotAssets, { coin: "BTC" })], start)] });
  store.close();
  const run = (...args: string[]) => runInProcess(args, dirname(path), { DATABASE_URL: `file:${path}` });
  const { stdout } = await run("status", "--color", "always");
  expect(stdout).toContain("\n\u001b[2maccount ");
  expect(stdout).toContain("  \u001b[31mSTALE\u001b[0m  ");
  expect((await run("history", "spot-assets", "--color=always")).stdout).toContain("\u001b[2mtaken_at");
  for (const args of [
    ["status"],
    ["history", "spot-assets"],
    ["--help"],
    ["history", "spot-assets", "--format", "csv"],
  ])
    expect((await run(...args)).stdout).not.toContain("\u001b");
  expect((await run("--help", "--color", "always")).stdout).toContain("\u001b[1mUsage:");
  expect(await run("status", "--color", "red")).toMatchObject({
    code: 64,
    stderr: 'unknown --color "red"; use auto, always, never\n',
  });
});
