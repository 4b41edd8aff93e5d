/**
 * Runs the dashboard process, which process.ts starts. It ends when its parent disconnects, and ignores signals, because a terminal
 * sends them to both.
 */
import { extname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { HTTPException } from "hono/http-exception";
import { Secret } from "../../core/domain.ts";
import type { HttpSettings } from "../../settings/config.ts";
import { describeListenError, serve } from "../server.ts";
import { type Daemon, openSite, type SiteSettings } from "../site.ts";

export interface DashboardSettings {
  site: SiteSettings;
  http: Omit<HttpSettings, "token"> & { token: string | null };
}

/** Messages to the child: first its settings, then responses to its requests. The text is null when there is no response. */
export type ToChild = DashboardSettings | { id: number; text: string | null };
export type FromChild = { listening: string } | { problem: string } | { request: "ping" | "metrics"; id: number };

const responseTimeoutMs = { ping: 2000, metrics: 3000 };
const retryAfterMs = 5000;
const beatMs = 1000;

const send = (message: FromChild): void => void process.send?.(message);

const waiting = new Map<number, (text: string | null) => void>();
let lastId = 0;

function requestFromDaemon(what: "ping" | "metrics"): Promise<string> {
  lastId += 1;
  const id = lastId;
  return new Promise((resolve, reject) => {
    const finish = (text: string | null) => {
      clearTimeout(timeout);
      waiting.delete(id);
      if (text !== null) resolve(text);
      else reject(new HTTPException(503, { message: "The daemon does not answer; its log may say why." }));
    };
    const timeout = setTimeout(() => finish(null), responseTimeoutMs[what]);
    waiting.set(id, finish);
    send({ request: what, id });
  });
}

const daemon: Daemon = { ping: () => requestFromDaemon("ping"), metrics: () => requestFromDaemon("metrics") };

async function startServing({ site: settings, http }: DashboardSettings): Promise<void> {
  startWatchdog(settings.sqlTimeoutSeconds);
  const site = openSite(settings, daemon);
  const place = { ...http, token: http.token === null ? null : new Secret(http.token) };
  const onProblem = (error: unknown) => send({ problem: String(error instanceof Error ? error.stack : error) });
  for (let lastProblem = ""; ; await sleep(retryAfterMs)) {
    try {
      return send({ listening: (await serve(site, place, onProblem)).url });
    } catch (error) {
      const problem = describeListenError(error, place);
      if (problem === null) throw error;
      if (problem !== lastProblem) send({ problem: `${problem}. Retrying; collecting continues.` });
      lastProblem = problem;
    }
  }
}

/** Starts the watchdog: this thread can neither interrupt a slow SQL statement nor notice during one that its parent has ended. */
function startWatchdog(sqlTimeoutSeconds: number): void {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => Atomics.add(beats, 0, 1), beatMs).unref();
  const file = new URL(`./watchdog${extname(import.meta.filename)}`, import.meta.url);
  new Worker(file, { workerData: { beats, seconds: sqlTimeoutSeconds + 5 } }).unref();
}

process.on("message", (message: ToChild) => {
  if ("site" in message) void startServing(message);
  else waiting.get(message.id)?.(message.text);
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"] as const) process.on(signal, () => {});
// The process only reads, so nothing must be finished first.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
