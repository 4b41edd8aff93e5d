#!/usr/bin/env node
/** argv in, exit code out. */
import { CommanderError, Option, Command as Parser } from "commander";
import type { Command, CommandSummary } from "./commands/command.ts";
import { commandSummaries, findCommand } from "./commands/index.ts";
import { exitWith, ignoreOtherSignals } from "./commands/run/signals.ts";
import { CollectorError, ConfigError, StorageError } from "./core/errors.ts";
import { redactor, visible, visibleLines } from "./core/text.ts";
import { ownVersion } from "./monitoring/version.ts";
import type { Environment } from "./settings/env-file.ts";

// Whatever is written from here on (database, lock, reports) is for this user alone.
process.umask(0o077);

ignoreOtherSignals();

// A closed pipe or a full disk under the log must not end the collecting.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

const exitCodes: Record<string, number> = { usage: 64, internal: 70, storage: 74, locked: 75, config: 78 };

/** False where the reader is gone, as when `head` has seen enough. */
const write = (text: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      const { code = "" } = (error ?? {}) as NodeJS.ErrnoException;
      if (error && !["EPIPE", "ERR_STREAM_DESTROYED"].includes(code))
        reject(new StorageError(`the output cannot be written (${code})`));
      else resolve(!error);
    });
  });

/** Finished lines wait until written, so that `process.exit` cuts nothing off. */
const say = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((resolve) => stream.write(`${text}\n`, () => resolve()));

/** Takes the keys out of what a bug would print; there are none before the settings are read. */
let redact = (text: string): string => text;

/**
 * Reads the settings. Keys leave the environment as soon as they are read: nothing that is started or written down after that has them.
 * It is loaded only here, as help needs no settings.
 */
async function settings(): Promise<Environment> {
  const { environment, isSecret, secretsIn } = await import("./settings/env-file.ts");
  const env = environment();
  redact = redactor(secretsIn(env));
  for (const [name, value] of Object.entries(process.env)) if (isSecret(name, value)) delete process.env[name];
  return env;
}

/** What commands of two words have in common, by the first one. */
const groups: Record<string, string> = {
  alerts: "open alerts and their delivery",
  db: "maintenance of the database",
};

/** Adds a command to its group, with no more than the list says of it. */
function list(program: Parser, { name, summary, args }: CommandSummary): Parser {
  const words = name.split(" ");
  const last = words.pop() ?? "";
  const parent = words.reduce(
    (at, word) =>
      at.commands.find((one) => one.name() === word) ??
      at
        .command(word)
        .summary(groups[word] ?? "")
        .exitOverride(),
    program,
  );
  return parent.command(args ? `${last} ${args}` : last).summary(summary);
}

function add(program: Parser, listing: CommandSummary, command: Command, finish: (code: number) => void): void {
  const details = command.details ? [...command.details, ""] : [];
  const examples = command.examples.map((example) => `  bitget-collector ${example}`);
  const parser = list(program, listing)
    .description(listing.summary)
    .addHelpText("after", ["", ...details, "Examples:", ...examples].join("\n"))
    .exitOverride()
    .action(async () => {
      const isTerminal = process.stdout.isTTY === true;
      const print = (line: string) => void process.stdout.write(`${isTerminal ? visibleLines(line) : line}\n`);
      const printError = (line: string) => void process.stderr.write(`${visible(line)}\n`);
      const output = { print, write, printError, isTerminal };
      finish(await command.run({ args: parser.args, options: parser.opts(), env: await settings(), ...output }));
    });
  for (const { flags, summary, repeat } of command.options ?? []) {
    const option = new Option(flags, summary);
    if (repeat) option.argParser((value: string, all: string[] | undefined) => [...(all ?? []), value]);
    parser.addOption(option);
  }
}

async function main(): Promise<number> {
  let code = 0;
  const program = new Parser("bitget-collector")
    .description("Snapshots a Bitget account on schedule and keeps the history, exact to the last digit.")
    .version(ownVersion())
    .exitOverride();
  const asked = findCommand(process.argv.slice(2));
  const command = await asked?.load();
  for (const listing of commandSummaries) {
    if (listing === asked && command) {
      add(program, listing, command, (result) => {
        code = result;
      });
    } else {
      const parser = list(program, listing);
      // One stands for all of them in the list of commands.
      if (listing.hasOptions) parser.option("--options");
    }
  }
  try {
    await program.parseAsync();
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
    return explain(error);
  }
}

/** One plain sentence and a next step; a stack only for a bug of ours. */
async function explain(error: unknown): Promise<number> {
  if (error instanceof ConfigError) {
    const list = error.problems.map((problem) => `  ${visible(problem)}`).join("\n");
    await say(
      process.stderr,
      `This cannot start:\n${list}\n\`bitget-collector check\` shows whether it is mended; .env.example explains every setting.`,
    );
    return 78;
  }
  if (error instanceof CollectorError) {
    await say(process.stderr, visible(error.message));
    return exitCodes[error.kind] ?? 1;
  }
  const stack = redact(String(error instanceof Error ? error.stack : error));
  await say(process.stderr, `This is a bug of bitget-collector; please report it with these lines:\n${stack}`);
  return 70;
}

for (const event of ["uncaughtException", "unhandledRejection"])
  process.on(event, (error: unknown) => void explain(error).then(exitWith));
exitWith(await main());
