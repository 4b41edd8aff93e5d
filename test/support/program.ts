/** Runs the built program as a child process. */
import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { onTestFinished } from "vitest";

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** Everything printed so far. */
  output(): { stdout: string; stderr: string };
  /** Resolves as soon as the text is printed on either stream; rejects when the program ends first. */
  printed(text: string | RegExp): Promise<void>;
  finished: Promise<Finished>;
}

const main = resolve("dist/main.js");

/** Returns PATH and `env`, with a log of JSON lines and no dashboard unless `env` sets them. */
export const environmentOf = (env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH ?? "",
  LOG_FORMAT: "json",
  HTTP_PORT: "",
  ...env,
});

/** Starts `bitget-collector ARGS` like `launch` and kills it when the test is over. */
export function start(args: readonly string[], directory: string, env: Record<string, string> = {}): Running {
  const running = launch(args, directory, env);
  onTestFinished(async () => {
    running.child.kill("SIGKILL");
    await running.finished;
  });
  return running;
}

/**
 * Starts `bitget-collector ARGS` in `directory` with only PATH and `env` in its environment, and without the dashboard unless `env` sets HTTP_PORT. `through` is a
 * wrapper command that starts the words after it (`sh -c 'exec "$0" "$@"'`, `unshare -pf`).
 */
export function launch(
  args: readonly string[],
  directory: string,
  env: Record<string, string | undefined> = {},
  through: readonly string[] = [],
): Running {
  const [command = process.execPath, ...words] = [...through, process.execPath, main, ...args];
  const child = spawn(command, words, {
    cwd: directory,
    env: environmentOf(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  const onData = () => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    onData();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    onData();
  });
  const finished = new Promise<Finished>((done) => {
    child.on("close", (code, signal) => done({ code, signal, stdout, stderr }));
  });
  return {
    child,
    output: () => ({ stdout, stderr }),
    printed: (text) =>
      new Promise((done, fail) => {
        const watcher = () => {
          if (!(typeof text === "string" ? `${stdout}${stderr}`.includes(text) : text.test(`${stdout}${stderr}`)))
            return;
          watchers.delete(watcher);
          done();
        };
        watchers.add(watcher);
        watcher();
        void finished.then((end) => fail(new Error(`ended with ${end.code} before it printed ${text}\n${end.stderr}`)));
      }),
    finished,
  };
}

/** Runs a command to its end. */
export const run = (args: readonly string[], directory: string, env: Record<string, string> = {}): Promise<Finished> =>
  start(args, directory, env).finished;
