/** Shows results that are longer than the screen through a pager: the program in PAGER, else `less`. */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Writable } from "node:stream";
import { type Environment, isSecret } from "../../settings/env-file.ts";
import { displayWidth } from "./width.ts";

/** Where a command prints. */
export interface Output {
  /** Writes results without waiting. */
  put(text: string): void;
  /** Resolves when the results are written; with false when the reader has closed the pipe. */
  write(text: string): Promise<boolean>;
  printError(line: string): void;
}

/** What `less` does unless LESS says otherwise: it ends by itself where all fits, shows colours, and leaves the text on the screen. */
const lessOptions = "FRX";

/** Returns the pager of the environment; null where none is wanted or installed. PAGER may name arguments, or be a line for the shell. */
export function pagerOf({ PAGER = "less", TERM, PATH = "" }: Environment): string | null {
  const pager = PAGER.trim();
  if (TERM === "dumb" || pager === "") return null;
  return !isPlain(pager) || isInstalled(wordsOf(pager)[0] ?? "", PATH) ? pager : null;
}

/** Returns whether a pager is a program with arguments, for which no shell is needed. */
const isPlain = (pager: string): boolean => /^[\w\s./:+,@-]+$/.test(pager);

const wordsOf = (pager: string): string[] => pager.split(/\s+/);

function isInstalled(program: string, path: string): boolean {
  const folders = program.includes("/") ? [""] : path.split(delimiter);
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Holds results back until they fill the screen or are complete; then a pager shows them, or they are printed. Messages wait for the
 * results that came before them, so that they do not end up in the middle of the pager's screen.
 */
export class PagedOutput implements Output {
  readonly #pager: string;
  readonly #screen: { columns: number; rows: number };
  readonly #direct: Output;
  #held = "";
  #lines = 0;
  #messages: string[] = [];
  #started: ReturnType<typeof startPager> | null = null;

  constructor(pager: string, screen: { columns: number; rows: number }, direct: Output) {
    this.#pager = pager;
    this.#screen = screen;
    this.#direct = direct;
  }

  put(text: string): void {
    void this.write(text);
  }

  write(text: string): Promise<boolean> {
    if (this.#started) return writeTo(this.#started.stdin, text);
    this.#held += text;
    this.#lines += this.#linesOf(text);
    // The last line of the screen is for the prompt.
    if (this.#lines < this.#screen.rows) return Promise.resolve(true);
    this.#started = startPager(this.#pager);
    return writeTo(this.#started.stdin, this.#held);
  }

  printError(line: string): void {
    if (this.#held === "") this.#direct.printError(line);
    else this.#messages.push(line);
  }

  /** Prints what is held back, or waits until the pager is quit; then prints the messages. */
  async end(): Promise<void> {
    this.#started?.stdin.end();
    if (this.#started) await this.#started.ended;
    else if (this.#held !== "") await this.#direct.write(this.#held);
    for (const line of this.#messages) this.#direct.printError(line);
  }

  /** Returns how many lines of the screen a text takes, or more than there are. */
  #linesOf(text: string): number {
    const lines = text.split("\n", this.#screen.rows + 1);
    const ends = lines.slice(0, -1);
    return ends.reduce((sum, line) => sum + Math.max(1, Math.ceil(displayWidth(line) / this.#screen.columns)), 0);
  }
}

/** Starts a pager, with an environment without secrets. Until it ends, Ctrl-C is for it alone. */
function startPager(pager: string): { stdin: Writable; ended: Promise<void> } {
  const given = Object.entries(process.env).filter(([name, value]) => !isSecret(name, value));
  const env = { LESS: lessOptions, ...Object.fromEntries(given) };
  // A shell in between would end at Ctrl-C, and leave the pager without a terminal.
  const [program = "", ...args] = isPlain(pager) ? wordsOf(pager) : ["sh", "-c", pager];
  const ignore = () => {};
  process.on("SIGINT", ignore);
  const child = spawn(program, args, { env, stdio: ["pipe", "inherit", "inherit"] });
  child.stdin.on("error", () => {});
  const ended = new Promise<void>((resolve) => child.once("error", () => resolve()).once("close", () => resolve()));
  return { stdin: child.stdin, ended: ended.finally(() => process.off("SIGINT", ignore)) };
}

/** Resolves with whether the pager took the text. */
const writeTo = (stdin: Writable, text: string): Promise<boolean> =>
  new Promise((resolve) => stdin.write(text, (error) => resolve(!error)));
