/** Injects faults into chosen system calls of a running process, with strace. */
import { execFileSync, spawn } from "node:child_process";

/**
 * Returns the command that runs a program and its children under strace. `filters`: values of its option -e; `paths`: only calls on
 * these files and folders, default all calls; `out`: the file for the trace.
 */
export const underStrace = (
  filters: readonly string[],
  { out = "/dev/null", paths = [] }: { out?: string; paths?: readonly string[] } = {},
): string[] => [
  ...["strace", "-f", "-qq", "-o", out],
  ...paths.flatMap((path) => ["-P", path]),
  ...filters.flatMap((filter) => ["-e", filter]),
];

/** Whether strace can trace processes on this machine. */
export const canTrace = ((): boolean => {
  try {
    const [program = "", ...args] = underStrace(["trace=pwrite64"]);
    execFileSync(program, [...args, "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

export interface Injection {
  /** Returns the number of calls so far; `hits`, the number that failed by injection. Exact after the end. */
  calls(): number;
  hits(): number;
  /** Returns whether the last call failed by injection. */
  endedBadly(): boolean;
  /** Ends the injection; resolves when the process runs normally again. */
  end(): Promise<void>;
}

/**
 * Makes a system call of a process's main thread fail from now on: `pwrite64:error=ENOSPC:when=3` the third,
 * `…:when=3+` the third and all later ones, `…:when=3+7` every seventh from the third. Resolves when active.
 */
export function injectInto(pid: number, fault: string): Promise<Injection> {
  const [call] = fault.split(":");
  const args = ["-p", String(pid), "-e", `trace=${call}`, "-e", `inject=${fault}`, "-e", "signal=none"];
  const strace = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
  let traced = "";
  const ended = new Promise<void>((resolve) => strace.on("close", () => resolve()));
  const injection: Injection = {
    calls: () => traced.split(`${call}(`).length - 1,
    endedBadly: () => traced.lastIndexOf("(INJECTED)") > traced.lastIndexOf(" = 0\n"),
    hits: () => traced.split("(INJECTED)").length - 1,
    async end() {
      strace.kill("SIGINT");
      await ended;
    },
  };
  return new Promise((resolve, reject) => {
    strace.stderr.setEncoding("utf8").on("data", (text: string) => {
      traced += text;
      if (traced.includes(" attached")) resolve(injection);
    });
    void ended.then(() => reject(new Error(`strace ended: ${traced}`)));
  });
}
