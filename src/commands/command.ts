/** Defines a command: its declaration and its action. */
import type { Environment } from "../settings/env-file.ts";

/** The input of a command, and where it prints. */
export interface CommandInput {
  args: readonly string[];
  options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  /** The settings; the environment overrides `.env`. */
  env: Environment;
  /** Prints a line of results on stdout. `colour` is applied to it last, where output is coloured. */
  print(line: string, colour?: (text: string) => string): void;
  /**
   * Writes a block of results to stdout. Resolves when it is written, so that output never piles up in memory; with false when the
   * reader has closed the pipe.
   * @throws StorageError when stdout cannot be written
   */
  write(text: string): Promise<boolean>;
  /** True if stdout is a terminal, on which results must show control characters as escapes, because names may contain some. */
  isTerminal: boolean;
  isColoured: boolean;
  /** The number of characters in a line of the terminal; 120 if stdout is none. */
  width: number;
  /** Prints a line on stderr. */
  printError(line: string): void;
}

/** The headings in the list of commands, in their order. */
export const commandGroups = ["Collect", "Read", "Report", "Operate", "Database"] as const;
export type CommandGroup = (typeof commandGroups)[number];

/** The entry of a command in the list of all commands. */
export interface CommandSummary {
  /** The words after the program's name, such as `db verify`. */
  name: string;
  /** Another name. */
  alias?: string;
  /** The heading in the list of commands; all of a group such as `db` have the same. */
  group: CommandGroup;
  summary: string;
  /** Arguments in the notation of the help, such as `[dataset...]`. */
  args?: string;
  /** True if the command has any `options`. */
  hasOptions?: true;
  load(): Promise<Command>;
}

/** Returns the command that the arguments name, ignoring options and a leading `help`; null if they name none. */
export function findIn(commands: readonly CommandSummary[], args: readonly string[]): CommandSummary | null {
  const words = args.filter((arg) => !arg.startsWith("-"));
  if (words[0] === "help") words.shift();
  return (
    commands.find(
      ({ name, alias }) =>
        (alias !== undefined && words[0] === alias) || name.split(" ").every((word, n) => words[n] === word),
    ) ?? null
  );
}

/** Returns what the help of a command says about a history in PostgreSQL. */
export function postgresLines({ onPostgres }: Command): string[] {
  if (onPostgres === "own") return [];
  const found = "With DATABASE_URL=postgres://…";
  if (onPostgres === "mirror")
    return [
      `${found} it reads a mirror of the history, a file in ./data, after refreshing it; stderr says how old it is.`,
    ];
  return [`${found} it is refused. ${onPostgres?.instead ?? ""}`.trim()];
}

/** A command of the program. */
export interface Command {
  /** One to three examples, each as typed after the program's name. */
  examples: readonly string[];
  /** Lines of the help that explain arguments and effects. */
  details?: readonly string[];
  /** Flags with a summary; `repeat` marks an option that may be given several times. */
  options?: readonly { flags: string; summary: string; repeat?: true }[];
  /**
   * What happens where DATABASE_URL names a PostgreSQL database: the command reads a mirror, which is refreshed before; or it does
   * everything itself (`own`), also where it needs no history; or it is refused, with a sentence that says what to do instead.
   */
  onPostgres?: "mirror" | "own" | { instead: string };
  /** Returns whether these options read the history, of which a mirror is refreshed before. By default they do. */
  readsHistory?(options: CommandInput["options"]): boolean;
  /** Returns whether results that are longer than the screen go through the pager: those of a command that reads and ends. */
  isPaged?(options: CommandInput["options"]): boolean;
  /** Resolves with the exit code. */
  run(input: CommandInput): Promise<number>;
}
