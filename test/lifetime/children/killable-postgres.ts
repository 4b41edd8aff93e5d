/** Kills this process at the two worst moments of a transaction in PostgreSQL. */
import driver from "pg";
import type { KillPoint } from "./killable.ts";

let killPoint: KillPoint | null = null;

/** Makes the next commit of something that the chain has a link of kill the process, before or after it; null for none. */
export function killAtNextCommit(at: KillPoint | null): void {
  killPoint = at;
}

const die = () => process.kill(process.pid, "SIGKILL");

/** The connections with a link in the current transaction. */
const linked = new WeakSet<object>();

const prototype = driver.Client.prototype as unknown as { query(...args: unknown[]): Promise<unknown> };
const { query } = prototype;

prototype.query = function killable(this: object, ...args: unknown[]): Promise<unknown> {
  const text = (args[0] as { text?: string }).text ?? "";
  if (/^\s*begin/.test(text)) linked.delete(this);
  if (/^\s*insert into "?link/.test(text)) linked.add(this);
  const isMeant = text === "commit" && linked.has(this);
  if (isMeant && killPoint === "unwritten") die();
  const sent = query.apply(this, args);
  if (isMeant && killPoint === "written") void sent.then(die);
  return sent;
};
