/** Decides which of several processes runs an account: a pure function of their names, so that all of them come to the same result. */
import { hash } from "node:crypto";

/** Returns the place of a process among those that can run an account; 0 is the first. Each account has another order. */
export function rankOf(worker: string, account: string, workers: readonly string[]): number {
  const weight = (name: string) => hash("sha256", `${name}\n${account}`);
  const own = weight(worker);
  return workers.filter((name) => name !== worker && weight(name) < own).length;
}
