/** The examples in the help: three to five for each command, with options that exist; those that only read work on a real database. */
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { findCommand, loadCommands } from "../../src/commands/index.ts";
import { collect, good, item, minute, start, storeAt } from "../store/kit.ts";
import { spotAssets } from "../store/minutes.ts";
import { temporaryPath } from "../store/temporary.ts";
import { runInProcess } from "../support/in-process.ts";

const commands = await loadCommands();

/** Returns the words of an example, without what the shell does with its output or after it. */
const wordsOf = (example: string): string[] => example.split(/ (?:2?>|&&?)(?: |$)/)[0]?.split(" ") ?? [];

it.each(commands.map(({ name, alias, examples, options = [] }) => ({ name, alias, examples, options })))(
  "$name has three to five examples, each of itself, with options that it has",
  ({ name, examples, options }) => {
    expect(examples.length).toBeGreaterThanOrEqual(3);
    expect(examples.length).toBeLessThanOrEqual(5);
    const known = [...options.map(({ flags }) => flags.split(" ")[0]), "--color"];
    for (const example of examples) {
      const words = wordsOf(example.replaceAll(/"[^"]*"/g, "x"));
      expect(findCommand(words)?.name, example).toBe(name);
      for (const word of words.filter((one) => one.startsWith("--"))) expect(known, example).toContain(word);
    }
  },
);

/** Those that print what is stored, and end by themselves. */
const reading = ["status", "history", "reconcile", "runs", "gaps", "report", "alerts list", "db verify"];

it("the examples of commands that read work on a database", async () => {
  const path = temporaryPath();
  const store = await storeAt(path);
  await store.setSchedule("main", "spot-assets", "* * * * *", start - minute);
  await collect(store, spotAssets, start, { snapshots: [good([item(spotAssets, { coin: "BTC" })], start)] });
  store.close();
  for (const { name, examples } of commands.filter((one) => reading.includes(one.name)))
    for (const example of examples.filter((one) => !one.includes("--watch"))) {
      const { code, stderr } = await runInProcess(wordsOf(example), dirname(path), { DATABASE_URL: `file:${path}` });
      // A stale feed and an empty result are answers too.
      expect([example, stderr, [0, 1].includes(code ?? 70)], name).toEqual([example, expect.any(String), true]);
    }
});
