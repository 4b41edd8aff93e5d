/** Reads facts about processes from Linux's /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Returns the fields of /proc/PID/stat after the name, starting with the state; null where there is no such process. */
function statOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/** Returns false for a process that has ended, also while it is a zombie. */
export const isAlive = (pid: number): boolean => !["Z", "X", undefined].includes(statOf(pid)?.[0]);

export const nicenessOf = (pid: number): number => Number(statOf(pid)?.[16]);

export const childrenOf = (pid: number): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => Number(statOf(child)?.[1]) === pid && isAlive(child));

/** Returns what other processes of the same user can read: arguments and environment. */
export const readableByOthers = (pid: number): string =>
  ["cmdline", "environ"].map((what) => readFileSync(`/proc/${pid}/${what}`, "latin1")).join("\0");
