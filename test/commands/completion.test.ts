import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, it } from "vitest";
import { commandSummaries } from "../../src/commands/index.ts";
import { completionScripts } from "../../src/commands/terminal/completion-scripts.ts";
import { candidatesFor } from "../../src/commands/terminal/completions.ts";
import { collect, good, item, start } from "../store/kit.ts";
import { positions } from "../store/minutes.ts";
import { open, temporaryPath } from "../store/temporary.ts";
import { temporaryFolder } from "../support/files.ts";
import { runInProcess } from "../support/in-process.ts";

const recorded = {
  accounts: () => ["main", "hedge"],
  coins: () => ["BTC", "USDT"],
  symbols: () => ["BTCUSDT", "SOLUSDT"],
  columns: () => ["account", "taken_at", "symbol"],
};

it.each([
  [["hi"], ["history"]],
  [
    ["db", "m"],
    ["migrate", "mirror"],
  ],
  [["help", "statu"], ["status"]],
  [["history", "c"], ["closed-positions"]],
  [["collect", "prices", "eq"], ["equity"]],
  [["report", "cover"], ["coverage"]],
  [
    ["history", "bills", "--kind", "f"],
    ["fee", "funding"],
  ],
  [
    ["history", "positions", "--format", ""],
    ["csv", "json", "ndjson", "record", "table"],
  ],
  [["history", "positions", "--account", "h"], ["hedge"]],
  [["history", "positions", "--wi"], ["--wide"]],
  [["history", "positions", "--wide", "--wi"], []],
  [["report", "balances", "--out", ""], []],
  [["help", "ti"], ["time"]],
  [
    ["report", "ledger", "--for", ""],
    ["bittytax", "cointracker", "koinly"],
  ],
  [["reconcile", "--wallet", "un"], ["unified"]],
  [
    ["history", "positions", "--product-type", "US"],
    ["USDC-FUTURES", "USDT-FUTURES"],
  ],
  [["report", "equity", "--timezone", "Europe/Ber"], ["Europe/Berlin"]],
  [["history", "positions", "--symbol", "B"], ["BTCUSDT"]],
  [["history", "spot-assets", "--coin", "U"], ["USDT"]],
  [["history", "positions", "--columns", "sy"], ["symbol"]],
  [
    ["history", "positions", "--columns", "symbol,"],
    ["symbol,account", "symbol,taken_at"],
  ],
  [["accounts", "retire", "h"], ["hedge"]],
  [["weather", ""], []],
  // Names that every object has.
  [["toString", ""], []],
  [["history", "constructor", "x"], []],
])("%j can be completed to %j", async (words, expected) => {
  expect(await candidatesFor(commandSummaries, words, recorded)).toEqual(expected);
});

it("accounts are those of the settings where there is no history", async () => {
  const words = ["completion", "words", "--", "runs", "--account", ""];
  const { stdout } = await runInProcess(words, temporaryFolder(), { BITGET_ACCOUNTS: "main, hedge" });
  expect(stdout).toBe("hedge\nmain\n");
});

it("coins, symbols and columns are those of the history", async () => {
  const path = temporaryPath();
  const store = await open(path);
  const cells = { marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "1" };
  const held = ["SOLUSDT", "BTCUSDT"].map((symbol) => item(positions, { symbol, ...cells }));
  await collect(store, positions, start, { snapshots: [good(held, start, "umcbl")] });
  store.close();
  const complete = async (...words: string[]) =>
    (await runInProcess(["completion", "words", "--", ...words], dirname(path), { DATABASE_URL: `file:${path}` }))
      .stdout;
  expect(await complete("history", "positions", "--symbol", "")).toBe("BTCUSDT\nSOLUSDT\n");
  expect(await complete("history", "positions", "--columns", "symbol,mark")).toBe("symbol,mark_price\n");
});

/** A folder with the program under its name. */
function folderOfProgram(): string {
  const folder = temporaryFolder();
  const path = join(folder, "bitget-collector");
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${resolve("dist/main.js")}" "$@"\n`);
  chmodSync(path, 0o755);
  return folder;
}

/** Commands that load the script, and print what the shell completes `bitget-collector history po` to. */
const loaded: Record<string, string> = {
  bash: "COMP_WORDS=(bitget-collector history po); COMP_CWORD=2; _bitget_collector bitget-collector; echo $COMPREPLY",
  zsh: "compadd() { echo $found }; words=(bitget-collector history po); CURRENT=3; _bitget_collector",
  fish: "complete -C 'bitget-collector history po'",
};
const isInstalled = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;

it.each(Object.keys(loaded).filter(isInstalled))("%s completes the words of the program", (shell) => {
  const folder = folderOfProgram();
  const script = `${shell === "zsh" ? "compdef() { : }" : ""}\n${completionScripts[shell]}\n${loaded[shell]}\n`;
  const { stdout, stderr } = spawnSync(shell, ["-c", script], {
    cwd: folder,
    env: { PATH: `${folder}:${process.env.PATH}`, HOME: folder },
    encoding: "utf8",
  });
  expect([stdout, stderr]).toEqual(["positions\n", ""]);
});
