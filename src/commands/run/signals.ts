/** The signals that end a program, and those that must not. */
import { isatty } from "node:tty";

export const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
export type StopSignal = keyof typeof signalNumbers;

/**
 * The signals that end this program. SIGHUP is one of them where it belongs to a terminal, which sends it when it is closed. `nohup`
 * wants it ignored and leaves no stream on a terminal; that alone shows it, as Node.js undoes what it did to the signal.
 */
export function stopSignals(): readonly StopSignal[] {
  const hasTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  return hasTerminal ? ["SIGHUP", "SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM"];
}

/** To be called once, at the start. */
export function ignoreOtherSignals(): void {
  // Node.js would open a debugger, and whoever connects to it reads the keys.
  process.on("SIGUSR1", () => {});
  if (!stopSignals().includes("SIGHUP")) process.on("SIGHUP", () => {});
}

/** Ends the process with this exit code: the only place that does. */
export function exitWith(code: number): never {
  if (code === 128 + signalNumbers.SIGHUP) {
    // Restoring the settings of a terminal that is gone, Node.js aborts. The signal itself ends the process with the same code.
    process.removeAllListeners("SIGHUP");
    process.kill(process.pid, "SIGHUP");
  }
  process.exit(code);
}
