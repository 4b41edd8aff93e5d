/** Parses arguments, runs one command and reports its errors. */
import { existsSync } from "node:fs";
import { CommanderError, Option, Command as Parser } from "commander";
import { CollectorError, ConfigError, StorageError, UsageError } from "../core/errors.ts";
import { escapeControlChars, escapeControlCharsInLines, redactor } from "../core/text.ts";
import { ownVersion } from "../monitoring/version.ts";
import type { Environment } from "../settings/env-file.ts";
import { type Command, type CommandSummary, postgresLines } from "./command.ts";
import { type GlobalOptions, globalOptions, takeGlobalOptions } from "./global-options.ts";
import { commandSummaries, findCommand } from "./index.ts";
import type { Output, PagedOutput } from "./shared/pager.ts";
import { isColoured, paint } from "./terminal/colour.ts";

const exitCodes: Record<string, number> = { usage: 64, internal: 70, storage: 74, locked: 75, config: 78 };

/**
 * Writes to stdout; resolves with false where the pipe was closed, as by `head`.
 * @throws StorageError on any other failure
 */
const write = (text: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      const { code = "" } = (error ?? {}) as NodeJS.ErrnoException;
      if (error && !["EPIPE", "ERR_STREAM_DESTROYED"].includes(code))
        reject(new StorageError(`cannot write to standard output (${code})`));
      else resolve(!error);
    });
  });

/** Output without a pager. */
const direct: Output = {
  put: (text) => void process.stdout.write(text),
  write,
  printError: (line) => void process.stderr.write(`${escapeControlChars(line)}\n`),
};

/** Returns output that goes through the pager if it is longer than the screen; null without a pager. */
async function pagedOutput(): Promise<PagedOutput | null> {
  const { columns, rows } = process.stdout;
  // A terminal may not know its size.
  if (!columns || !rows) return null;
  const { PagedOutput, pagerOf } = await import("./shared/pager.ts");
  const pager = pagerOf(process.env);
  return pager === null ? null : new PagedOutput(pager, { columns, rows }, direct);
}

/** Writes a line and waits until it is out, because `process.exit` discards pending output. */
const writeLine = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((resolve) => stream.write(`${text}\n`, () => resolve()));

/** Removes keys from a stack trace; replaced when the settings, which hold the keys, are read. */
let redact = (text: string): string => text;

/**
 * Reads the settings and deletes the keys from `process.env`, so that no child process and no dump of the environment contains them.
 * The module is loaded only here because help needs no settings.
 */
async function readSettings(): Promise<Environment> {
  const { environment, isSecret, secretsIn } = await import("../settings/env-file.ts");
  const env = environment();
  redact = redactor(secretsIn(env));
  for (const [name, value] of Object.entries(process.env)) if (isSecret(name, value)) delete process.env[name];
  return env;
}

/** Summaries of the command groups, by their first word. */
const groups: Record<string, string> = {
  accounts: "accounts at the exchange",
  alerts: "open alerts and their delivery",
  db: "maintenance of the database",
};

const helpCommand = (): Parser =>
  new Parser("help").argument("[command]").summary("show the help of a command").helpOption(false);

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Adds a command to its group with name, arguments and summary only; returns its parser. */
function declare(program: Parser, { name, alias, group, summary, args }: CommandSummary): Parser {
  const words = name.split(" ");
  const last = words.pop() ?? "";
  const parent = words.reduce(
    (at, word) =>
      at.commands.find((one) => one.name() === word) ??
      at
        .command(word)
        .summary(groups[word] ?? "")
        .description(`${sentence(groups[word] ?? "")}.`)
        .helpGroup(`${group}:`)
        .addHelpCommand(helpCommand())
        .exitOverride(),
    program,
  );
  const parser = parent.command(args ? `${last} ${args}` : last).summary(summary);
  if (parent === program) parser.helpGroup(`${group}:`);
  return alias === undefined ? parser : parser.alias(alias);
}

/** Adds a command with its full help, options and action. */
function add(
  program: Parser,
  summary: CommandSummary,
  command: Command,
  { colour, mayPage, finish }: GlobalOptions & { finish(code: number): void },
): void {
  const all = [...(command.details ?? []), ...postgresLines(command)];
  const details = all.length > 0 ? [...all, ""] : [];
  const examples = command.examples.map((example) => `  bitget-collector ${example}`);
  const parser = declare(program, summary)
    .description(summary.summary)
    .addHelpText("after", ["", ...details, "Examples:", ...examples].join("\n"))
    .exitOverride()
    .action(async () => {
      const isTerminal = process.stdout.isTTY === true;
      const env = await readSettings();
      const coloured = isColoured(colour, env, isTerminal);
      const options = parser.opts();
      const isOnPostgres = /^\s*postgres/.test(env.DATABASE_URL ?? "") || env.DATABASE_URL_FILE;
      if (isOnPostgres && command.readsHistory?.(options) !== false) {
        const { prepareMirror } = await import("./shared/mirror.ts");
        await prepareMirror(summary.name, command, env, direct.printError);
      }
      const paged = isTerminal && mayPage && command.isPaged?.(options) ? await pagedOutput() : null;
      const out: Output = paged ?? direct;
      const print = (line: string, change?: (text: string) => string) => {
        const text = isTerminal ? escapeControlCharsInLines(line) : line;
        out.put(`${coloured && change ? change(text) : text}\n`);
      };
      const terminal = { isTerminal, isColoured: coloured, width: process.stdout.columns || 120 };
      const { write, printError } = { write: out.write.bind(out), printError: out.printError.bind(out) };
      try {
        finish(await command.run({ args: parser.args, options, env, print, write, printError, ...terminal }));
      } finally {
        await paged?.end();
      }
    });
  for (const { flags, summary, repeat } of command.options ?? []) {
    const option = new Option(flags, summary);
    if (repeat) option.argParser((value: string, all: string[] | undefined) => [...(all ?? []), value]);
    parser.addOption(option);
  }
}

/** Runs the command that `given` names, the words after the program's name; resolves with the exit code, also after an error. */
export async function runProgram(given: readonly string[]): Promise<number> {
  try {
    const { options, rest } = takeGlobalOptions(given);
    const [first = "", second, ...others] = rest;
    if (first === "help" && second !== undefined) return await help([second, ...others], options);
    if (Object.hasOwn(groups, first) && second === "help") return await help([first, ...others], options);
    await requireKnown(rest);
    return await runWith(rest, options);
  } catch (error) {
    return reportError(error);
  }
}

/** @throws UsageError where the words name no command and no group, with the name that was probably meant; `others` may stand there too */
async function requireKnown(words: readonly string[], others: readonly string[] = []): Promise<void> {
  const [first = "", second = ""] = words;
  const isGroup = Object.hasOwn(groups, first);
  const isOption = (word: string) => word === "" || word.startsWith("-");
  if (isOption(first) || first === "help" || findCommand(words) || (isGroup && isOption(second))) return;
  const { didYouMean } = await import("./terminal/suggest.ts");
  const known = commandSummaries.flatMap(({ name, alias = name }) => [name, alias]);
  const given = isGroup ? `${first} ${second}` : first;
  const suggested = didYouMean(given, isGroup ? known : [...known, ...Object.keys(groups), ...others]);
  throw new UsageError(
    `unknown command "${given}"; ${suggested && `${suggested} `}\`bitget-collector help\` lists all commands`,
  );
}

/** Prints a topic, or the help of the command or group that `words` name. @throws UsageError for an unknown word */
async function help(words: readonly string[], options: GlobalOptions): Promise<number> {
  const [first = ""] = words;
  const { topics } = await import("./terminal/topics.ts");
  if (words.length === 1 && Object.hasOwn(topics, first)) {
    await write(`${topics[first]}\n`);
    return 0;
  }
  await requireKnown(words, Object.keys(topics));
  const command = findCommand(words);
  return await runWith(command ? [...command.name.split(" "), "--help"] : ["help", ...words], options);
}

async function runWith(args: readonly string[], options: GlobalOptions): Promise<number> {
  let code = 0;
  const program = new Parser("bitget-collector")
    .description("Snapshots a Bitget account on schedule and keeps the history, exact to the last digit.")
    .version(ownVersion())
    .addHelpText("after", "\nTopics: help time, help exit-codes, help formats, help env")
    .configureHelp({ styleTitle: (text) => paint("title", text) })
    .configureOutput({ getOutHasColors: () => isColoured(options.colour, process.env, process.stdout.isTTY === true) })
    .showHelpAfterError("Add --help to see arguments and options.")
    .addHelpCommand(helpCommand().helpGroup("Operate:"))
    .exitOverride();
  for (const { flags, summary } of globalOptions) program.option(flags, summary);
  const chosen = findCommand(args);
  const command = await chosen?.load();
  for (const summary of commandSummaries) {
    if (summary === chosen && command) {
      add(program, summary, command, {
        ...options,
        finish(result) {
          code = result;
        },
      });
    } else {
      const parser = declare(program, summary);
      // Makes the list of commands show [options]; the options themselves are not loaded.
      if (summary.hasOptions) parser.option("--options");
    }
  }
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
    return reportError(error, chosen?.name);
  }
}

/** Prints an error on stderr, with a stack trace only for a bug of this program; returns the exit code. */
export async function reportError(error: unknown, command?: string): Promise<number> {
  if (error instanceof ConfigError) {
    const list = error.problems.map((problem) => `  ${escapeControlChars(problem)}`).join("\n");
    // The other commands need no keys, or are `check` itself.
    const needsKeys = ["start", "collect", "get"].includes(command ?? "");
    const next = needsKeys ? "run `bitget-collector check`" : "try again";
    const { isKnownSetting } = await import("../settings/names.ts");
    const namesSetting = error.problems.some((problem) => problem.match(/\b[A-Z][A-Z_]+\b/g)?.some(isKnownSetting));
    const where = needsKeys || namesSetting ? "; .env.example explains every setting" : "";
    const isNew =
      error.problems.some((problem) => /_API_(KEY|SECRET|PASSPHRASE)\b/.test(problem)) && !existsSync(".env");
    const how = isNew ? "`bitget-collector init` asks for what is needed and writes it to .env.\n" : "";
    await writeLine(process.stderr, `Configuration error:\n${list}\n${how}Fix it, then ${next}${where}.`);
    return 78;
  }
  if (error instanceof CollectorError) {
    await writeLine(process.stderr, escapeControlChars(error.message));
    return exitCodes[error.kind] ?? 1;
  }
  const stack = redact(String(error instanceof Error ? error.stack : error));
  await writeLine(
    process.stderr,
    `Internal error of bitget-collector; please report it with the following lines:\n${stack}`,
  );
  return 70;
}
