/** Decides which of several processes runs an account: a pure function of what all of them know, so that they come to the same result. */
import { hash } from "node:crypto";

export interface Candidate {
  name: string;
  /** Whether it lets the others go first at present. */
  isPaused: boolean;
}

/** Returns the place of a process among those that can run an account; 0 is the first. Each account has another order, with paused ones last. */
export function rankOf({ name, isPaused }: Candidate, account: string, all: readonly Candidate[]): number {
  const weight = (one: string) => hash("sha256", `${one}\n${account}`);
  const own = weight(name);
  const isBefore = (other: Candidate) =>
    other.isPaused === isPaused ? weight(other.name) < own : isPaused && !other.isPaused;
  return all.filter((other) => other.name !== name && isBefore(other)).length;
}
