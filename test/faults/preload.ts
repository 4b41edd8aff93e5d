/** Preloads fault injection into a daemon: a shifted wall clock, and hooks that run on SIGUSR2. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Running } from "../support/program.ts";
import type { Bench } from "./row.ts";

export interface Preload {
  /** The environment to start the daemon with. */
  env: Record<string, string>;
  /** Sets how far the daemon's wall clock is ahead of the machine's, ms; timers are unaffected, as after a suspend. */
  setClock(offset: number): void;
  /** Runs an action of `hooks.cjs` with its arguments: `block 4000`. */
  runHook(running: Running, action: string): void;
  /** Returns the last result of the hook; null before there is one. */
  result(): string | null;
}

export function preload({ folder }: Bench): Preload {
  const clock = join(folder, "clock-offset");
  const hook = join(folder, "hook");
  const required = [resolve("test/support/clock-shim.cjs"), resolve("test/faults/hooks.cjs")];
  return {
    env: {
      NODE_OPTIONS: required.map((path) => `--require ${path}`).join(" "),
      CLOCK_OFFSET_FILE: clock,
      HOOK_FILE: hook,
    },
    setClock(offset) {
      writeFileSync(`${clock}.new`, String(offset));
      renameSync(`${clock}.new`, clock);
    },
    runHook({ child }, action) {
      rmSync(`${hook}.result`, { force: true });
      writeFileSync(hook, action);
      child.kill("SIGUSR2");
    },
    result: () => (existsSync(`${hook}.result`) ? readFileSync(`${hook}.result`, "utf8") : null),
  };
}
