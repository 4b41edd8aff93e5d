/** What a check found out: a line for people, an object for programs. */
import type { CommandInput } from "../command.ts";
import { paint } from "../terminal/colour.ts";

export type FindingState = "ok" | "warning" | "failed";

/** The result of one check. */
export interface Finding {
  /** The name of the check, the same in all versions. */
  check: string;
  state: FindingState;
  message: string;
  /** What to do about it; undefined where nothing is to be done, or where the message says it. */
  fix?: string;
}

/** A result without the name of its check. */
export type Result = Omit<Finding, "check">;

export const ok = (message: string): Result => ({ state: "ok", message });
export const warning = (message: string, fix?: string): Result => ({ state: "warning", message, ...(fix && { fix }) });
export const failed = (message: string, fix?: string): Result => ({ state: "failed", message, ...(fix && { fix }) });

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const signs = { ok: "✓", warning: "!", failed: "✗" } as const;
const tones = { ok: "good", warning: "warning", failed: "bad" } as const;

/** Prints a result as one line: its sign, the check, and what to do. */
export function printFinding({ check, state, message, fix }: Finding, print: CommandInput["print"]): void {
  const text = `${check.padEnd(11)}${message}${fix === undefined ? "" : `; ${fix}`}`;
  print(`${signs[state]} ${text}`, (line) => paint(tones[state], signs[state]) + line.slice(1));
}

/** Returns the results as JSON. `ok` is true if no check failed. */
export const jsonOf = (checks: readonly Finding[]): string =>
  JSON.stringify({ schema_version: 1, ok: checks.every(({ state }) => state !== "failed"), checks }, null, 2);
