/** What is preloaded into a daemon to bring faults from outside: another wall clock, and hooks that SIGUSR2 pulls. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Running } from "../support/program.ts";
import type { Bench } from "./row.ts";

export interface Preload {
  /** To start it with. */
  env: Record<string, string>;
  /** How far the daemon's wall clock is ahead of the machine's from now on, ms; its timers do not notice, as in a sleep. */
  setClock(offset: number): void;
  /** Does one of the actions of `hooks.cjs`, its words behind it: `block 4000`. */
  pull(running: Running, action: string): void;
  /** What the hook has told so far; null for nothing. */
  told(): string | null;
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
    pull({ child }, action) {
      rmSync(`${hook}.told`, { force: true });
      writeFileSync(hook, action);
      child.kill("SIGUSR2");
    },
    told: () => (existsSync(`${hook}.told`) ? readFileSync(`${hook}.told`, "utf8") : null),
  };
}
