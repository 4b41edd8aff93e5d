/**
 * Runs the dashboard in a child process of low priority that opens the database read-only, so that no number of readers and no
 * expensive page delays collecting. The reasons are in docs/decisions/0008.
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

/** Niceness of the child: `more` above the daemon's, capped at `most`. */
const niceness = { more: 10, most: 19 };

/** Maximum size of the V8 heap of the child; buffers and SQLite's memory are not included. */
const heapMegabytes = 256;

/** Delay before a restart, in milliseconds: `first`, doubled up to `last` each time the child ends within `early` of its start. */
const restart = { first: 1000, last: 60_000, early: 60_000 };

const killAfterMs = 1000;

/** Returns the daemon's metrics in the Prometheus text format. */
type MetricsText = () => Promise<string>;
/** Returns a sentence about what prevents the daemon from collecting, or "" while nothing does. */
type ProblemText = () => string;

/** Runs the dashboard process as a child of the daemon. */
export class DashboardProcess {
  readonly #options: DashboardOptions;
  #listening: (address: string) => void = () => {};
  /** Resolves with the address of the pages once they are served for the first time. */
  readonly address = new Promise<string>((resolve) => {
    this.#listening = resolve;
  });
  #child: ChildProcess | null = null;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;
  #delay = restart.first;

  constructor(options: DashboardOptions) {
    this.#options = options;
  }

  /** Starts the child, and restarts it whenever it ends. Logs the URL once the child is listening. */
  start(metrics: MetricsText, problem: ProblemText): void {
    if (this.#isStopped) return;
    const { site, http, log } = this.#options;
    const startedAt = performance.now();
    const file = new URL(`./child${extname(import.meta.filename)}`, import.meta.url);
    const child = fork(file, {
      // The child must not inherit API keys; its settings arrive in a message, which no other process can read.
      env: {},
      execArgv: [`--max-old-space-size=${heapMegabytes}`],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child = child;
    lowerPriority(child);
    let errorOutput = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      errorOutput = (errorOutput + text).slice(-2000);
    });
    child.on("message", (message: FromChild) => void this.#handle(child, message, metrics, problem));
    child.on("error", (error) => {
      errorOutput += error.message;
    });
    child.once("close", (code, signal) => {
      this.#child = null;
      if (this.#isStopped) return;
      if (performance.now() - startedAt > restart.early) this.#delay = restart.first;
      const why = errorOutput.trim() || `${signal ?? `exit code ${code}`}`;
      log.error({ why }, `dashboard process ended (${why}); restarting in ${this.#delay / 1000} s`);
      this.#timer = setTimeout(() => this.start(metrics, problem), this.#delay);
      this.#delay = Math.min(this.#delay * 2, restart.last);
    });
    send(child, { site, http: { ...http, token: http.token?.reveal() ?? null } });
  }

  /** Stops the child. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const ending = this.#child;
    if (!ending) return;
    // "close" is not emitted when this side closes the channel.
    const ended = new Promise((resolve) => ending.once("exit", resolve));
    const late = setTimeout(() => ending.kill("SIGKILL"), killAfterMs);
    ending.disconnect();
    await ended;
    clearTimeout(late);
  }

  /** Kills the child without waiting for it to end. */
  close(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#child?.kill("SIGKILL");
  }

  async #handle(child: ChildProcess, message: FromChild, metrics: MetricsText, problem: ProblemText): Promise<void> {
    const { log } = this.#options;
    if ("listening" in message) {
      log.info({ url: message.listening }, `dashboard: the pages are at ${message.listening}`);
      this.#listening(message.listening);
    } else if ("problem" in message) log.error({}, `dashboard: ${message.problem}`);
    else if (message.request === "ping") send(child, { id: message.id, text: problem() });
    else {
      const text = await metrics().catch((error: unknown) => {
        log.error({}, `cannot render the metrics for /metrics: ${String(error)}`);
        return null;
      });
      send(child, { id: message.id, text });
    }
  }
}

function send(child: ChildProcess, message: ToChild): void {
  // A child that has died is detected by its "close" event.
  if (child.connected) child.send(message, () => {});
}

function lowerPriority({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, Math.min(getPriority() + niceness.more, niceness.most));
  } catch {
    // The child has ended already, or the platform has no priorities.
  }
}
