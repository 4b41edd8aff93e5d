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
import type { FromChild, ToChild } from "./child.ts";

export interface DashboardOptions {
  site: SiteSettings;
  http: HttpSettings;
  log: Log;
}

/** Below the priority of the daemon by `more`, capped at `most`. */
const niceness = { more: 10, most: 19 };

/** Of its heap; buffers and the database's own memory come on top. */
const heapMegabytes = 256;

/** After a death it is started again: soon, and after each early one half as often. Milliseconds. */
const restart = { first: 1000, last: 60_000, early: 60_000 };

const killAfterMs = 1000;

/** Returns our metrics, as Prometheus reads them. */
type MetricsText = () => Promise<string>;
/** Returns what keeps us from collecting, a sentence; empty where nothing does. */
type ProblemText = () => string;

export class DashboardProcess {
  readonly #options: DashboardOptions;
  #child: ChildProcess | null = null;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;
  #delay = restart.first;

  constructor(options: DashboardOptions) {
    this.#options = options;
  }

  /** Starts it, and again whenever it dies. The log says the address. */
  start(metrics: MetricsText, problem: ProblemText): void {
    if (this.#isStopped) return;
    const { site, http, log } = this.#options;
    const startedAt = performance.now();
    const file = new URL(`./child${extname(import.meta.filename)}`, import.meta.url);
    const child = fork(file, {
      // The child must not inherit keys; its settings come in a message, which no other process can read.
      env: {},
      execArgv: [`--max-old-space-size=${heapMegabytes}`],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child = child;
    lowerPriority(child);
    let lastWords = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      lastWords = (lastWords + text).slice(-2000);
    });
    child.on("message", (message: FromChild) => void this.#answer(child, message, metrics, problem));
    child.on("error", (error) => {
      lastWords += error.message;
    });
    child.once("close", (code, signal) => {
      this.#child = null;
      if (this.#isStopped) return;
      if (performance.now() - startedAt > restart.early) this.#delay = restart.first;
      const why = lastWords.trim() || `${signal ?? `exit code ${code}`}`;
      log.error({ why }, `the process of the pages ended (${why}); it is started again in ${this.#delay / 1000} s`);
      this.#timer = setTimeout(() => this.start(metrics, problem), this.#delay);
      this.#delay = Math.min(this.#delay * 2, restart.last);
    });
    send(child, { site, http: { ...http, token: http.token?.reveal() ?? null } });
  }

  /** Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const ending = this.#child;
    if (!ending) return;
    // "close" does not come where this side closes the channel.
    const ended = new Promise((resolve) => ending.once("exit", resolve));
    const late = setTimeout(() => ending.kill("SIGKILL"), killAfterMs);
    ending.disconnect();
    await ended;
    clearTimeout(late);
  }

  /** Ends it at once. */
  close(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#child?.kill("SIGKILL");
  }

  async #answer(child: ChildProcess, message: FromChild, metrics: MetricsText, problem: ProblemText): Promise<void> {
    const { log } = this.#options;
    if ("listening" in message) log.info({ url: message.listening }, `dashboard: ${message.listening}`);
    else if ("problem" in message) log.error({}, `pages: ${message.problem}`);
    else if (message.requestFromDaemon === "ping") send(child, { id: message.id, text: problem() });
    else {
      const text = await metrics().catch((error: unknown) => {
        log.error({}, `the figures for /metrics could not be made: ${String(error)}`);
        return null;
      });
      send(child, { id: message.id, text });
    }
  }
}

function send(child: ChildProcess, message: ToChild): void {
  // A child that has died is noticed by "close".
  if (child.connected) child.send(message, () => {});
}

function lowerPriority({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, Math.min(getPriority() + niceness.more, niceness.most));
  } catch {
    // Gone already, or a machine that has no such thing.
  }
}
