/** Defines the signals that stop the program, and ignores others. */
import { isatty } from "node:tty";

export const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
export type StopSignal = keyof typeof signalNumbers;

/**
 * Returns the signals that stop this program. SIGHUP is one of them only if a stream is a terminal, which sends it when it is closed.
 * Under `nohup` it must be ignored; Node.js resets the disposition that `nohup` sets, so the lack of a terminal is the only sign of it.
 */
export function stopSignals(): readonly StopSignal[] {
  const hasTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  return hasTerminal ? ["SIGHUP", "SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM"];
}

/** Ignores SIGUSR1, and SIGHUP without a terminal. Call once, at the start. */
export function ignoreOtherSignals(): void {
  // By default Node.js opens a debugger on SIGUSR1, through which the keys could be read.
  process.on("SIGUSR1", () => {});
  if (!stopSignals().includes("SIGHUP")) process.on("SIGHUP", () => {});
}

/** Runs `act` until it ends; a signal aborts it. Returns the exit code: 0 where it ended by itself, that of the signal where it threw after it. */
export async function untilStopped(act: (signal: AbortSignal) => Promise<void>): Promise<number> {
  const stop = new AbortController();
  let code = 0;
  const onSignal = (_signal: NodeJS.Signals, number: number) => {
    code = 128 + number;
    stop.abort();
  };
  for (const signal of stopSignals()) process.on(signal, onSignal);
  try {
    await act(stop.signal);
    return 0;
  } catch (error) {
    if (code === 0) throw error;
    return code;
  } finally {
    for (const signal of stopSignals()) process.off(signal, onSignal);
  }
}

/** Exits with this code. Nothing else in the program calls `process.exit`. */
export function exitWith(code: number): never {
  if (code === 128 + signalNumbers.SIGHUP) {
    // On exit, Node.js aborts when it cannot restore the settings of a closed terminal; the signal itself gives the same exit code.
    process.removeAllListeners("SIGHUP");
    process.kill(process.pid, "SIGHUP");
  }
  process.exit(code);
}
