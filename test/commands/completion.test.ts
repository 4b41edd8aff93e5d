import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { commandSummaries } from "../../src/commands/index.ts";
import { completionScripts } from "../../src/commands/terminal/completion-scripts.ts";
import { candidatesFor } from "../../src/commands/terminal/completions.ts";
import { temporaryFolder } from "../support/files.ts";
import { runInProcess } from "../support/in-process.ts";

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
  [["weather", ""], []],
])("%j can be completed to %j", async (words, expected) => {
  expect(await candidatesFor(commandSummaries, words, () => ["main", "hedge"])).toEqual(expected);
});

it("accounts are those of the settings where there is no history", async () => {
  const words = ["completion", "words", "--", "status", "--account", ""];
  const { stdout } = await runInProcess(words, temporaryFolder(), { BITGET_ACCOUNTS: "main, hedge" });
  expect(stdout).toBe("hedge\nmain\n");
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
