/** Runs the collector as a child process whose clock this process controls. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { KillPoint } from "./children/killable.ts";

export interface StartOptions {
  /** The initial time of its clock, epoch ms. */
  now: number;
  settings: Record<string, string>;
  /** Where in its first write the process kills itself; null for not at all. */
  killPoint: KillPoint | null;
}

/** Time passes normally (`live`) or during a suspend (`step`); then the collector checks its clock. `held`: number of withheld responses. */
export type Order = { kind: "live"; ms: number; held: number } | { kind: "step"; ms: number } | { kind: "stop" };

/** `held`: the remaining runs wait for withheld responses. */
export type Reply = "done" | "held" | { advance: number };

/** Lets time pass for everybody. Returns how much has passed: no more than asked for. Milliseconds. */
export type Advance = (ms: number) => number | Promise<number>;

export interface Daemon {
  /** Lets `ms` pass, checks the clock, and resolves when everything due is done or waits for withheld responses. */
  advance(ms: number, held?: number): Promise<"done" | "held">;
  /** Steps the wall clock by `ms`, then does the same. */
  step(ms: number): Promise<"done" | "held">;
  /** Says that the responses to so many requests are withheld, while the daemon is waiting for them. */
  withhold(count: number): void;
  /** Sends SIGKILL. */
  kill(): Promise<void>;
  /** Resolves when the process has killed itself in its next write. */
  killInNextWrite(at: KillPoint, release: () => void): Promise<void>;
  /** Stops the collector as SIGTERM does. */
  stop(): Promise<void>;
}

export interface Daemons {
  /**
   * Resolves when the collector has checked its clock for the first time; null where it was to be killed before. `advance` is called
   * when the collector only waits for time.
   */
  start(begin: StartOptions, advance: Advance): Promise<Daemon | null>;
  close(): void;
}

/** The next process is loaded in advance. */
export function createDaemons(): Daemons {
  const load = () =>
    fork(join(import.meta.dirname, "children", "daemon.ts"), {
      execArgv: ["--import", "tsx"],
      env: { PATH: process.env.PATH ?? "" },
    });
  const children: ChildProcess[] = [load()];
  return {
    async start(begin, advance) {
      const child = children.at(-1) ?? load();
      children.push(load());
      return started(child, begin, advance);
    },
    close() {
      for (const child of children) child.kill("SIGKILL");
    },
  };
}

async function started(child: ChildProcess, begin: StartOptions, advance: Advance): Promise<Daemon | null> {
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const killed = async () => {
    const [code, signal] = await ended;
    if (signal !== "SIGKILL") throw new Error(`the collector ended with ${code ?? signal}`);
  };
  const order = (message: StartOptions | Order) => {
    const answer = answerOf(child, ended, advance);
    child.send(message);
    return answer;
  };
  if (begin.killPoint !== null) {
    child.send(begin);
    await killed();
    return null;
  }
  await order(begin);
  return {
    advance: (ms, held = 0) => order({ kind: "live", ms, held }),
    step: (ms) => order({ kind: "step", ms }),
    withhold(count) {
      child.send({ held: count });
    },
    kill() {
      child.kill("SIGKILL");
      return killed();
    },
    async killInNextWrite(killPoint, release) {
      await new Promise((resolve) => child.send({ killPoint }, resolve));
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

function answerOf(child: ChildProcess, ended: Promise<unknown[]>, advance: Advance): Promise<"done" | "held"> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: Reply) => {
      if (typeof message === "object") {
        void Promise.resolve(advance(message.advance)).then((advanced) => child.connected && child.send({ advanced }));
        return;
      }
      child.off("message", onMessage);
      resolve(message);
    };
    child.on("message", onMessage);
    void ended.then(([code, signal]) => reject(new Error(`the collector ended with ${code ?? signal}`)));
  });
}
