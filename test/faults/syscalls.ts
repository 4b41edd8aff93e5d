/** Faults of the disk at a chosen system call, by strace, in a process that is running. */
import { execFileSync, spawn } from "node:child_process";

/** Whether strace may look into our processes here. */
export const canTrace = ((): boolean => {
  try {
    execFileSync("strace", ["-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "true"], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
})();

export interface Injection {
  /** How many of those system calls were made so far, and how many of them were made to fail. Exact when it has ended. */
  calls(): number;
  hits(): number;
  /** Whether the last of them was made to fail. */
  endedBadly(): boolean;
  /** The fault ends; resolves when the process runs as before. */
  end(): Promise<void>;
}

/**
 * Lets a call of the main thread of a process fail from now on: `pwrite64:error=ENOSPC:when=3` the third,
 * `…:when=3+` that and all after it, `…:when=3+7` every seventh from there. Resolves when it is in force.
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
