/** The collector as a process of its own, told what time it is. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { DeathAt } from "./children/mortal.ts";

export interface Begin {
  /** What its clock shows at first. Epoch ms. */
  now: number;
  settings: Record<string, string>;
  /** Its first write is its end. */
  dieAt: DeathAt | null;
}

/** Time is lived through, or passes while the machine sleeps; then it looks at its clock. `held`: answers kept back. */
export type Order = { kind: "live"; ms: number; held: number } | { kind: "step"; ms: number } | { kind: "stop" };

/** `held`: what is still going on waits for answers that are kept back. */
export type Said = "done" | "held" | { advance: number };

export interface Daemon {
  /** Lives so many milliseconds, looks at the clock, and resolves when all that is due is done, or is held back. */
  live(ms: number, held?: number): Promise<"done" | "held">;
  /** The same after a step of the wall clock. */
  step(ms: number): Promise<"done" | "held">;
  /** SIGKILL, now. */
  kill(): Promise<void>;
  /** Resolves when it has killed itself in its next write. */
  dies(at: DeathAt, release: () => void): Promise<void>;
  /** Lets it end as on SIGTERM. */
  stop(): Promise<void>;
}

export interface Daemons {
  /** Resolves when it has looked at the clock for the first time; null where it was not to live so long. */
  start(begin: Begin): Promise<Daemon | null>;
  close(): void;
}

/** `advance` moves our clock along with that of the one that runs. The next one loads its program while it does. */
export function createDaemons(advance: (ms: number) => void): Daemons {
  const load = () =>
    fork(join(import.meta.dirname, "children", "daemon.ts"), {
      execArgv: ["--import", "tsx"],
      env: { PATH: process.env.PATH ?? "" },
    });
  const children: ChildProcess[] = [load()];
  return {
    async start(begin) {
      const child = children.at(-1) ?? load();
      children.push(load());
      return started(child, begin, advance);
    },
    close() {
      for (const child of children) child.kill("SIGKILL");
    },
  };
}

async function started(child: ChildProcess, begin: Begin, advance: (ms: number) => void): Promise<Daemon | null> {
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const killed = async () => {
    const [code, signal] = await ended;
    if (signal !== "SIGKILL") throw new Error(`the collector ended with ${code ?? signal}`);
  };
  const order = (said: Begin | Order) => {
    const answer = answerOf(child, ended, advance);
    child.send(said);
    return answer;
  };
  if (begin.dieAt !== null) {
    child.send(begin);
    await killed();
    return null;
  }
  await order(begin);
  return {
    live: (ms, held = 0) => order({ kind: "live", ms, held }),
    step: (ms) => order({ kind: "step", ms }),
    kill() {
      child.kill("SIGKILL");
      return killed();
    },
    async dies(dieAt, release) {
      await new Promise((resolve) => child.send({ dieAt }, resolve));
      release();
      await killed();
    },
    async stop() {
      child.send({ kind: "stop" });
      const [code] = await ended;
      if (code !== 0) throw new Error(`the collector stopped with ${code}`);
    },
  };
}

function answerOf(
  child: ChildProcess,
  ended: Promise<unknown[]>,
  advance: (ms: number) => void,
): Promise<"done" | "held"> {
  return new Promise((resolve, reject) => {
    const onSaid = (said: Said) => {
      if (typeof said === "object") {
        advance(said.advance);
        child.send("advanced");
        return;
      }
      child.off("message", onSaid);
      resolve(said);
    };
    child.on("message", onSaid);
    void ended.then(([code, signal]) => reject(new Error(`the collector ended with ${code ?? signal}`)));
  });
}
