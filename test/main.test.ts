/** Which modules short commands load, because loading many packages makes a program slow to start; and exit codes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "./support/files.ts";
import { run } from "./support/program.ts";

/** Prints the loaded modules on stderr, packages by their names. */
const hook = `
  import { writeSync } from "node:fs";
  export async function load(url, context, next) {
    const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? /dist\\/(.*)$/.exec(url)?.[1] ?? url;
    writeSync(2, "loaded " + name + "\\n");
    return next(url, context);
  }`;

async function loadedBy(args: string[]): Promise<{ code: number | null; loaded: string[] }> {
  const folder = temporaryFolder();
  const [hooks, register] = ["hooks.mjs", "register.mjs"].map((name) => join(folder, name)) as [string, string];
  writeFileSync(hooks, hook);
  writeFileSync(register, `import { register } from "node:module"; register(${JSON.stringify(pathToFileURL(hooks))});`);
  const { code, stderr } = await run(args, folder, { NODE_OPTIONS: `--import ${register}` });
  const loaded = stderr.split("\n").flatMap((line) => (line.startsWith("loaded ") ? [line.slice(7)] : []));
  return { code, loaded: [...new Set(loaded)].filter((name) => !name.startsWith("node:")).sort() };
}

describe("the program", () => {
  it.each(["--version", "--help", "db --help", "help"])("loads for %s only the required modules", async (words) => {
    const { code, loaded } = await loadedBy(words.split(" "));
    expect(code).toBe(0);
    expect(loaded).toEqual([
      "commander",
      "commands/command.js",
      "commands/global-options.js",
      "commands/index.js",
      "commands/program.js",
      "commands/run/signals.js",
      "commands/terminal/colour.js",
      "core/domain.js",
      "core/errors.js",
      "core/text.js",
      "main.js",
      "monitoring/version.js",
    ]);
  });

  it.each([
    ["nonsense", 64, 'unknown command "nonsense"; `bitget-collector help` lists all commands\n'],
    ["history", 64, "error: missing required argument 'dataset'\nAdd --help to see arguments and options.\n"],
    ["collect", 78, "BITGET_API_KEY is missing"],
  ])("exits after %s with %i and prints why", async (command, expected, message) => {
    const { code, stdout, stderr } = await run([command], temporaryFolder());
    expect([code, stdout, stderr]).toEqual([expected, "", expect.stringContaining(message)]);
  });
});
