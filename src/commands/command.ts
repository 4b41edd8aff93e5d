/** The type of a command: a declaration, plus what it does. */
import type { Environment } from "../settings/env-file.ts";

export interface CommandInput {
  args: readonly string[];
  options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  /** The settings: environment over `.env`. */
  env: Environment;
  /** Results, on stdout. Everything else goes to stderr. */
  print(line: string): void;
  /**
   * Results in bulk: resolves when written, so that nothing piles up; with false where nobody reads any more.
   * @throws StorageError where stdout cannot be written
   */
  write(text: string): Promise<boolean>;
  /** Whether stdout is a terminal, which a control character in a name could drive: bulk results show them as escapes there. */
  isTerminal: boolean;
  /** A line on stderr, for the person. */
  printError(line: string): void;
}

/** What the list of all commands says of one. */
export interface CommandSummary {
  /** Words after the program's name: `db verify`. */
  name: string;
  summary: string;
  /** In the notation of the help: `[dataset...]`. */
  args?: string;
  /** Whether the command has any `options`. */
  hasOptions?: true;
  load(): Promise<Command>;
}

export interface Command {
  /** One to three, each as typed after the program's name. */
  examples: readonly string[];
  /** Lines of the help that say what the arguments can be. */
  details?: readonly string[];
  /** Flags and what they do; a repeatable option has `repeat`. */
  options?: readonly { flags: string; summary: string; repeat?: true }[];
  /** Resolves with the exit code. */
  run(input: CommandInput): Promise<number>;
}
