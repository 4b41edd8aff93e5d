/** Runs commands of the program in this process: what a child process does, without the time that it takes to start one. */
import { runProgram } from "../../src/commands/program.ts";
import { environmentOf, type Finished } from "./program.ts";

let isRunning = false;

/**
 * Runs `bitget-collector ARGS` to its end like `run`, with the working directory, environment, file permissions and output of a child.
 * For one command at a time, which ends by itself; what processes do to each other, signals and the exit itself need `run`.
 */
export async function runInProcess(
  args: readonly string[],
  directory: string,
  env: Record<string, string> = {},
): Promise<Finished> {
  if (isRunning) throw new Error("only one command at a time can run in this process");
  isRunning = true;
  const before = { directory: process.cwd(), environment: { ...process.env }, mask: process.umask(0o077) };
  const stdout = capture(process.stdout);
  const stderr = capture(process.stderr);
  process.chdir(directory);
  setEnvironment(environmentOf(env));
  try {
    const code = await runProgram(args);
    return { code, signal: null, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    setEnvironment(before.environment);
    process.chdir(before.directory);
    stderr.release();
    stdout.release();
    process.umask(before.mask);
    isRunning = false;
  }
}

/** Changes the variables one by one, because Node.js applies TZ when it is assigned. */
function setEnvironment(env: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(process.env)) if (env[name] === undefined) delete process.env[name];
  for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = value;
}

/** Collects what is written to a stream until it is released. */
function capture(stream: NodeJS.WriteStream): { text(): string; release(): void } {
  const original = stream.write;
  let text = "";
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    const done = rest.at(-1);
    if (typeof done === "function") done();
    return true;
  };
  return {
    text: () => text,
    release() {
      stream.write = original;
    },
  };
}
