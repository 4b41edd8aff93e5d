/**
 * The pages are served by a process of their own, at low priority, which can only read: however many people look, and
 * whatever they ask for, who collects does not wait. docs/decisions/0008 has the reasons.
 */
import { type ChildProcess, fork } from "node:child_process";
import { getPriority, setPriority } from "node:os";
import { extname } from "node:path";
import type { Log } from "../../core/log.ts";
import type { HttpSettings } from "../../settings/config.ts";
import type { SiteSettings } from "../site.ts";
import type { FromPages, ToPages } from "./child.ts";

export interface PagesOptions {
  site: SiteSettings;
  http: HttpSettings;
  log: Log;
}

export interface PagesProcess {
  /** Starts it, and again whenever it dies. The log says the address. `metrics`: our figures, as Prometheus reads them.
   * `problem`: what keeps us from collecting, a sentence; empty where nothing does. */
  start(metrics: () => Promise<string>, problem: () => string): void;
  /** Resolves when it has ended. */
  stop(): Promise<void>;
  /** Ends it at once. */
  close(): void;
}

/** Nicer than who collects by so much, as far as there is anything nicer. */
const niceness = { more: 10, most: 19 };

/** Of its heap; buffers and the database's own memory come on top. */
const heapMegabytes = 256;

/** After a death it is started again: soon, and after each early one half as often. Milliseconds. */
const restart = { first: 1000, last: 60_000, early: 60_000 };

const endsWithinMs = 1000;

export function createPagesProcess({ site, http, log }: PagesOptions): PagesProcess {
  let child: ChildProcess | null = null;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let delay = restart.first;

  function send(to: ChildProcess, message: ToPages): void {
    // Should it be gone already, "close" says so.
    if (to.connected) to.send(message, () => {});
  }

  type Ours = Parameters<PagesProcess["start"]>;

  async function answer(from: ChildProcess, message: FromPages, [metrics, problem]: Ours): Promise<void> {
    if ("listening" in message) log.info({ url: message.listening }, `the pages are at ${message.listening}`);
    else if ("problem" in message) log.error({}, `pages: ${message.problem}`);
    else if (message.ask === "ping") send(from, { id: message.id, text: problem() });
    else {
      const text = await metrics().catch((error: unknown) => {
        log.error({}, `the figures for /metrics could not be made: ${String(error)}`);
        return null;
      });
      send(from, { id: message.id, text });
    }
  }

  function start(...ours: Ours): void {
    if (stopped) return;
    const startedAt = performance.now();
    const file = new URL(`./child${extname(import.meta.filename)}`, import.meta.url);
    const started = fork(file, {
      // Keys are none of its business; its settings come in a message, which nobody else can read.
      env: {},
      execArgv: [`--max-old-space-size=${heapMegabytes}`],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    child = started;
    lowerPriority(started);
    let lastWords = "";
    started.stderr?.setEncoding("utf8").on("data", (text: string) => {
      lastWords = (lastWords + text).slice(-2000);
    });
    started.on("message", (message: FromPages) => void answer(started, message, ours));
    started.on("error", (error) => {
      lastWords += error.message;
    });
    started.once("close", (code, signal) => {
      child = null;
      if (stopped) return;
      if (performance.now() - startedAt > restart.early) delay = restart.first;
      const why = lastWords.trim() || `${signal ?? `exit code ${code}`}`;
      log.error({ why }, `the process of the pages ended (${why}); it is started again in ${delay / 1000} s`);
      timer = setTimeout(() => start(...ours), delay);
      delay = Math.min(delay * 2, restart.last);
    });
    send(started, { site, http: { ...http, token: http.token?.reveal() ?? null } });
  }

  return {
    start,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      const ending = child;
      if (!ending) return;
      // "close" does not come where this side closes the channel.
      const ended = new Promise((resolve) => ending.once("exit", resolve));
      const late = setTimeout(() => ending.kill("SIGKILL"), endsWithinMs);
      ending.disconnect();
      await ended;
      clearTimeout(late);
    },
    close() {
      stopped = true;
      clearTimeout(timer);
      child?.kill("SIGKILL");
    },
  };
}

function lowerPriority({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, Math.min(getPriority() + niceness.more, niceness.most));
  } catch {
    // Gone already, or a machine that has no such thing.
  }
}
