/**
 * A dead man's switch: the address is called after each complete cycle, and told of each failure: at `/fail` behind its
 * path, as healthchecks.io has it, or with `status=down`, as Uptime Kuma has it. When nothing comes any more, whoever is called raises the alarm.
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
  /** The last slot of each kind of call. */
  readonly #calledFor: Record<Beat, number> = { ok: Number.NaN, fail: Number.NaN };
  /** The newest slot, and the series whose run of it has not ended well yet, so that not all are read after each run. */
  #newestSlot = Number.NEGATIVE_INFINITY;
  #incomplete = new Set<string>();
  #judged: Promise<void> = Promise.resolve();
  #isCalling = false;
  /** What to call for when the current call is over. */
  #next: Beat | null = null;
  #isAnswered = true;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#route = routeTo(options.url.reveal(), options.proxy ?? noProxy);
  }

  /** Calls where a run completes a cycle or fails, once a slot for each. Does not wait for the answer. */
  onEnded(run: EndedRun): Promise<void> {
    // One after the other: a run that ends while freshness is read is missing in what was read.
    this.#judged = this.#judged.then(() => this.#judge(run));
    return this.#judged;
  }

  async #judge(run: EndedRun): Promise<void> {
    const { slot, state } = run;
    const beat = state === "failed" || state === "partial" ? "fail" : (await this.#isComplete(run)) ? "ok" : null;
    if (beat === null || this.#calledFor[beat] === slot) return;
    this.#calledFor[beat] = slot;
    this.#next = beat;
    if (!this.#isCalling) void this.#callAll();
  }

  /** Calls no more, and aborts a call that has not ended. */
  close(): void {
    this.#closing.abort();
    this.#route.close();
  }

  /** Returns whether the last slot of everything that is scheduled is complete, with this run. */
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
      log.warn({ problem: (error as Error).message }, "heartbeat: the database cannot be read; nothing is said");
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

  /** Returns what went wrong in a few words that hold no part of the address; null where it was heard. */
  async #call(beat: Beat): Promise<string | null> {
    const { url } = this.#options;
    const request = { timeouts: { request: timeLimitMs }, signal: this.#closing.signal, maxBytes: 0 };
    try {
      const reply = await send(addressOf(url, beat), this.#route, request);
      if (reply === null) return "no reply";
      return reply.status >= 200 && reply.status < 300 ? null : `HTTP ${reply.status}`;
    } catch (error) {
      const { kind, code, problem, advice } = failureOf(error, "", this.#route, "HEARTBEAT_URL");
      if (kind === "proxy") return problem;
      return advice === null ? (kind === "timeout" ? "ETIMEDOUT" : code) : `${code}: ${advice}`;
    }
  }

  /** Logs a failure once when it begins, and once when it is over. */
  #report(problem: string | null): void {
    const { log } = this.#options;
    if ((problem === null) === this.#isAnswered) return;
    this.#isAnswered = problem === null;
    if (this.#isAnswered) log.info({}, "heartbeat: HEARTBEAT_URL answers again");
    else
      log.warn({ problem }, `heartbeat: HEARTBEAT_URL does not answer as it should (${problem}); collecting goes on`);
  }
}

const seriesName = ({ account, dataset }: Pick<EndedRun, "account" | "dataset">): string => `${dataset} ${account}`;

function isUpTo({ schedule, last }: Freshness, slot: number): boolean {
  return last !== null && last.state === "ok" && last.slot >= parsePattern(schedule).latest(slot);
}

/** Parameters in which a monitor is told how it went, and their word for a failure. */
const failures: ReadonlyMap<string, string> = new Map([
  ["status", "down"],
  ["state", "fail"],
]);

/**
 * Where a failure is told: by the parameter that says how it went where the address has one (`?status=up` becomes
 * `?status=down`), or is that of an Uptime Kuma, which takes anything else for "up"; else at `/fail` behind the path. The rest of
 * the query stays.
 */
function addressOf(url: Secret, beat: Beat): URL {
  const address = new URL(url.reveal());
  if (beat === "ok") return address;
  const { pathname, searchParams } = address;
  if (/\/api\/push\/[^/]+\/?$/.test(pathname) && !searchParams.has("status")) searchParams.set("status", "up");
  const told = [...failures].filter(([name]) => searchParams.has(name));
  for (const [name, failure] of told) searchParams.set(name, failure);
  if (told.length === 0) address.pathname = `${pathname.replace(/\/$/, "")}/fail`;
  else if (searchParams.has("msg")) searchParams.set("msg", "a run was not complete");
  return address;
}
