/** What Linux tells of processes. */
import { readdirSync, readFileSync } from "node:fs";

/** Fields of /proc/PID/stat behind the name, from the state on; null where there is no such process. */
function statOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/** False for one that ended and waits to be noticed. */
export const isAlive = (pid: number): boolean => !["Z", "X", undefined].includes(statOf(pid)?.[0]);

export const nicenessOf = (pid: number): number => Number(statOf(pid)?.[16]);

export const childrenOf = (pid: number): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => Number(statOf(child)?.[1]) === pid && isAlive(child));

/** What any process of the same user can read of another one: what it was called with, and was given. */
export const shownBy = (pid: number): string =>
  ["cmdline", "environ"].map((what) => readFileSync(`/proc/${pid}/${what}`, "latin1")).join("\0");
