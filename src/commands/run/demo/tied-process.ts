/** Starts programs that end when this process ends, in whatever way. */
import { type ChildProcess, spawn } from "node:child_process";
import { basename } from "node:path";
import { ConfigError } from "../../../core/errors.ts";

export interface TiedOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** Numbers of another user and group; only root can choose them. */
  user?: { uid: number; gid: number } | undefined;
  /** Asks the program to end. */
  signal: NodeJS.Signals;
}

/** How much of the last output is kept, characters. */
const maxOutput = 20_000;

/** Ends the program once its own input ends, which happens when this process ends. */
const guardScript = 'read -r _; kill -s "$0" "$1"';

export class TiedProcess {
  readonly #child: ChildProcess;
  readonly #signal: NodeJS.Signals;
  readonly #listeners = new Set<() => void>();
  #output = "";
  /** Resolves when the program has ended, with how: its signal, or its exit code. */
  readonly ended: Promise<string>;

  constructor(command: string, args: readonly string[], { cwd, env, user, signal }: TiedOptions) {
    // Detached, so that Ctrl-C reaches only this process, which stops the program when it is time.
    const child = spawn(command, args, { cwd, env, ...user, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.#signal = signal;
    const name = signal.slice(3);
    const guard = spawn("sh", ["-c", guardScript, name, String(child.pid)], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-maxOutput);
        for (const listener of this.#listeners) listener();
      });
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, by) => {
        guard.kill("SIGKILL");
        resolve(by ?? `exit code ${code}`);
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves with the last output as soon as it contains the text. @throws ConfigError with the output where the program ends before */
  printed(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const listener = () => {
        if (!this.#output.includes(text)) return;
        this.#listeners.delete(listener);
        resolve(this.#output);
      };
      this.#listeners.add(listener);
      listener();
      const { spawnargs } = this.#child;
      const words = spawnargs
        .slice(0, 3)
        .map((word) => basename(word))
        .join(" ");
      this.ended.then(
        (how) => reject(new ConfigError([`${words} ended (${how}):`, ...this.#output.trim().split("\n")])),
        reject,
      );
    });
  }

  /** Stops the program. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#child.kill(this.#signal);
    await this.ended;
  }
}
