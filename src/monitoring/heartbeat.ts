/**
 * A dead man's switch: the address is called after each complete cycle, and told of each failure: at `/fail` behind its
 * path, as healthchecks.io has it, or with `status=down`, as Uptime Kuma has it. When nothing comes any more, whoever is called raises the alarm.
 */
import got, { RequestError } from "got";
import type { EndedRun } from "../collecting/run-context.ts";
import { type Clock, sleep } from "../core/clock.ts";
import { parsePattern } from "../core/cron.ts";
import type { Secret } from "../core/domain.ts";
import type { Log } from "../core/log.ts";
import { proxyProblem, routeTo } from "../network/outgoing.ts";
import { noProxy, type ProxySettings } from "../network/proxy.ts";
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

export interface Heartbeat {
  /** Calls, where there is something to say, and returns at once. Each thing is said once a slot. */
  onEnded(run: EndedRun): void;
  /** Calls no more; what is on its way is cut. */
  close(): void;
}

type Beat = "ok" | "fail";

/** Milliseconds. */
const timeLimit = 10_000;
const pause = 1000;

export function createHeartbeat({ url, proxy = noProxy, store, clock, log }: HeartbeatOptions): Heartbeat {
  const route = routeTo(url.reveal(), proxy);
  const closing = new AbortController();
  /** The slots that were spoken of. */
  const said: Record<Beat, number> = { ok: Number.NaN, fail: Number.NaN };
  /** Of the newest slot: the series whose run of it has not ended well yet, so that not all are read after each run. */
  const owing = { slot: Number.NEGATIVE_INFINITY, series: new Set<string>() };
  let isCalling = false;
  /** What to say when the call at hand is over. */
  let next: Beat | null = null;
  let isHeard = true;

  async function onEnded(run: EndedRun): Promise<void> {
    const { slot, state } = run;
    const beat = state === "failed" || state === "partial" ? "fail" : (await isComplete(run)) ? "ok" : null;
    if (beat === null || said[beat] === slot) return;
    said[beat] = slot;
    next = beat;
    if (!isCalling) void callAll();
  }

  /** Whether the last slot of everything that is scheduled is complete, with this run. */
  async function isComplete(run: EndedRun): Promise<boolean> {
    owing.series.delete(seriesName(run));
    if (run.slot <= owing.slot && owing.series.size > 0) return false;
    owing.slot = Math.max(owing.slot, run.slot);
    try {
      const late = (await store.freshness(clock.now())).filter((one) => one.offered && !isUpTo(one, owing.slot));
      owing.series = new Set(late.map(seriesName));
      return late.length === 0;
    } catch (error) {
      log.warn({ problem: (error as Error).message }, "heartbeat: the database cannot be read; nothing is said");
      return false;
    }
  }

  async function callAll(): Promise<void> {
    isCalling = true;
    for (let beat = next; beat !== null && !closing.signal.aborted; beat = next) {
      next = null;
      const problem = (await call(beat)) && (await sleep(clock, pause, closing.signal).then(() => call(beat), String));
      if (!closing.signal.aborted) report(problem);
    }
    isCalling = false;
  }

  /** What went wrong in a few words, none of them the exchange's or the address; null where it was heard. */
  async function call(beat: Beat): Promise<string | null> {
    const options = {
      agent: await route.agent(),
      followRedirect: false,
      retry: { limit: 0 },
      throwHttpErrors: false,
      signal: closing.signal,
    };
    const stream = got.stream(addressOf(url, beat), { ...options, timeout: { request: timeLimit } });
    try {
      const status = await new Promise<number>((resolve, reject) => {
        stream.once("response", (response: { statusCode: number }) => resolve(response.statusCode));
        stream.on("error", reject);
      });
      return status >= 200 && status < 300 ? null : `HTTP ${status}`;
    } catch (error) {
      return proxyProblem(error) ?? (error instanceof RequestError ? error.code : "unknown");
    } finally {
      stream.destroy();
    }
  }

  /** Once when it begins, once when it is over. */
  function report(problem: string | null): void {
    if ((problem === null) === isHeard) return;
    isHeard = problem === null;
    if (isHeard) log.info({}, "heartbeat: HEARTBEAT_URL answers again");
    else
      log.warn({ problem }, `heartbeat: HEARTBEAT_URL does not answer as it should (${problem}); collecting goes on`);
  }

  return {
    onEnded: (run) => void onEnded(run),
    close() {
      closing.abort();
      route.close();
    },
  };
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
