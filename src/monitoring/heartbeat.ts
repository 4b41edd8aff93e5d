/**
 * A dead man's switch: requests HEARTBEAT_URL after each complete cycle, and reports failures with `/fail` appended to the path (as
 * healthchecks.io expects) or with `status=down` (as Uptime Kuma expects). The monitor raises the alarm when requests stop.
 */
import type { EndedRun } from "../collecting/run-context.ts";
import { type Clock, sleep } from "../core/clock.ts";
import { parsePattern } from "../core/cron.ts";
import type { Secret } from "../core/domain.ts";
import type { Log } from "../core/log.ts";
import { type Route, routeTo } from "../network/outgoing.ts";
import { noProxy, type ProxySettings } from "../network/proxy.ts";
import { failureOf, send } from "../network/request.ts";
import type { Freshness } from "../store/history.ts";
import type { Store } from "../store/store.ts";

export interface HeartbeatOptions {
  url: Secret;
  /** Default: none. */
  proxy?: ProxySettings;
  store: Pick<Store, "freshness">;
  clock: Clock;
  log: Log;
}

type Beat = "ok" | "fail";

const timeLimitMs = 10_000;
const retryAfterMs = 1000;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #route: Route;
  readonly #closing = new AbortController();
  /** The slot of the last call of each kind. */
  readonly #calledFor: Record<Beat, number> = { ok: Number.NaN, fail: Number.NaN };
  /** The newest slot, and the series without a complete run of it, so that not all are read after each run. */
  #newestSlot = Number.NEGATIVE_INFINITY;
  #incomplete = new Set<string>();
  #evaluated: Promise<void> = Promise.resolve();
  #isCalling = false;
  /** The call to make when the current one has ended; null for none. */
  #next: Beat | null = null;
  #isReachable = true;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#route = routeTo(options.url.reveal(), options.proxy ?? noProxy);
  }

  /** Calls when a run completes a cycle, or fails; at most once per slot for each. Does not wait for the response. */
  onEnded(run: EndedRun): Promise<void> {
    // One after the other: a run that ends while freshness is read is not included in it.
    this.#evaluated = this.#evaluated.then(() => this.#evaluate(run));
    return this.#evaluated;
  }

  async #evaluate(run: EndedRun): Promise<void> {
    const { slot, state } = run;
    const beat = state === "failed" || state === "partial" ? "fail" : (await this.#isComplete(run)) ? "ok" : null;
    if (beat === null || this.#calledFor[beat] === slot) return;
    this.#calledFor[beat] = slot;
    this.#next = beat;
    if (!this.#isCalling) void this.#callAll();
  }

  /** Makes no more calls, and aborts the current one. */
  close(): void {
    this.#closing.abort();
    this.#route.close();
  }

  /** Returns whether this run completes the newest slot of every scheduled series; false if the database cannot be read. */
  async #isComplete(run: EndedRun): Promise<boolean> {
    const { store, clock, log } = this.#options;
    this.#incomplete.delete(seriesName(run));
    if (run.slot <= this.#newestSlot && this.#incomplete.size > 0) return false;
    this.#newestSlot = Math.max(this.#newestSlot, run.slot);
    try {
      const late = (await store.freshness(clock.now())).filter((one) => one.offered && !isUpTo(one, this.#newestSlot));
      this.#incomplete = new Set(late.map(seriesName));
      return late.length === 0;
    } catch (error) {
      log.warn(
        { problem: (error as Error).message },
        "heartbeat: the database cannot be read; HEARTBEAT_URL was not requested",
      );
      return false;
    }
  }

  async #callAll(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    this.#isCalling = true;
    while (this.#next !== null && !signal.aborted) {
      const beat = this.#next;
      this.#next = null;
      let problem = await this.#call(beat);
      if (problem !== null) problem = await sleep(clock, retryAfterMs, signal).then(() => this.#call(beat), String);
      if (!signal.aborted) this.#report(problem);
    }
    this.#isCalling = false;
  }

  /** Returns what went wrong, without any part of the URL; null on success. */
  async #call(beat: Beat): Promise<string | null> {
    const { url } = this.#options;
    const request = { timeouts: { request: timeLimitMs }, signal: this.#closing.signal, maxBytes: 0 };
    try {
      const reply = await send(urlFor(url, beat), this.#route, request);
      if (reply === null) return "no reply";
      return reply.status >= 200 && reply.status < 300 ? null : `HTTP ${reply.status}`;
    } catch (error) {
      const { kind, code, problem, advice } = failureOf(error, "", this.#route, "HEARTBEAT_URL");
      if (kind === "proxy") return problem;
      return advice === null ? (kind === "timeout" ? "ETIMEDOUT" : code) : `${code}: ${advice}`;
    }
  }

  /** Logs once when calls begin to fail, and once when they succeed again. */
  #report(problem: string | null): void {
    const { log } = this.#options;
    if ((problem === null) === this.#isReachable) return;
    this.#isReachable = problem === null;
    if (this.#isReachable) log.info({}, "heartbeat: HEARTBEAT_URL responds again");
    else log.warn({ problem }, `heartbeat: the request to HEARTBEAT_URL failed (${problem}); collecting continues`);
  }
}

const seriesName = ({ account, dataset }: Pick<EndedRun, "account" | "dataset">): string => `${dataset} ${account}`;

function isUpTo({ schedule, last }: Freshness, slot: number): boolean {
  return last !== null && last.state === "ok" && last.slot >= parsePattern(schedule).latest(slot);
}

/** Query parameters that carry the outcome, with the value that means failure. */
const failures: ReadonlyMap<string, string> = new Map([
  ["status", "down"],
  ["state", "fail"],
]);

/**
 * Returns the URL to request. A failure is reported by the outcome parameter if the URL has one (`?status=up` becomes
 * `?status=down`) or is that of an Uptime Kuma, which takes anything else for "up"; else by `/fail` appended to the path. The rest
 * of the query stays.
 */
function urlFor(url: Secret, beat: Beat): URL {
  const address = new URL(url.reveal());
  if (beat === "ok") return address;
  const { pathname, searchParams } = address;
  if (/\/api\/push\/[^/]+\/?$/.test(pathname) && !searchParams.has("status")) searchParams.set("status", "up");
  const outcomes = [...failures].filter(([name]) => searchParams.has(name));
  for (const [name, failure] of outcomes) searchParams.set(name, failure);
  if (outcomes.length === 0) address.pathname = `${pathname.replace(/\/$/, "")}/fail`;
  else if (searchParams.has("msg")) searchParams.set("msg", "a run was not complete");
  return address;
}
