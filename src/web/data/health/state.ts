/** Summarises the present state of collecting, as the header of every page shows it. */
import { publicAccount } from "../../../core/domain.ts";
import type { Freshness } from "../../../store/history.ts";
import { notRunning } from "../../daemon-state.ts";
import type { View } from "../table.ts";
import { describeFailure } from "./collection.ts";

/** The present state of collecting, of the selected account and the public data. Times are epoch ms. */
export interface CollectingState {
  /** `stopped`: no process collects. `waiting`: one does, but cannot at present. `empty`: nothing was recorded yet. */
  kind: "fresh" | "stale" | "stopped" | "waiting" | "empty";
  /** The slot of the newest complete run; null before the first. */
  newestAt: number | null;
  /** The stale feeds, the one with the oldest data first. */
  stale: Freshness[];
  /** Why the first of them is stale; null if that is not known. */
  reason: string | null;
  /** The number of feeds. */
  feeds: number;
  /** When the first fresh feed becomes stale unless it is read again; null if none does. */
  staleAt: number | null;
  /** A sentence on what prevents collecting; null if nothing is known to. */
  problem: string | null;
}

export function collectingState({ history, account, now, daemon: { daemon, problem } }: View): CollectingState {
  const isSelected = (one: { account: string }) =>
    account === null || one.account === account || one.account === publicAccount;
  const feeds = history
    .scheduled()
    .filter(isSelected)
    .map((series) => ({ series, status: history.freshnessNow(series, now) }));
  const stale = feeds
    .filter(({ status }) => !status.fresh)
    .sort((a, b) => (a.status.lastOkAt ?? 0) - (b.status.lastOkAt ?? 0));
  const [oldest] = stale;
  const failure = oldest ? history.lastFailure(oldest.series.id, now) : null;
  const isReason = failure !== null && failure.slot > (oldest?.status.lastOkAt ?? 0);
  const newestAt = latest(feeds.map(({ status }) => status.lastOkAt));
  const ends = feeds.flatMap(({ status }) => (status.fresh && status.staleAt !== null ? status.staleAt : []));
  const workers = history.workers(now);
  const isStopped = daemon === notRunning || (workers.length > 0 && workers.every(({ state }) => state === "gone"));
  const isSilent = daemon === "does not answer";
  const kind = isStopped
    ? "stopped"
    : stale.length > 0
      ? "stale"
      : isSilent || daemon === "waits"
        ? "waiting"
        : newestAt === null
          ? "empty"
          : "fresh";
  return {
    kind: kind === "stale" && newestAt === null ? "empty" : kind,
    newestAt,
    stale: stale.map(({ status }) => status),
    reason: isReason ? describeFailure(failure) : null,
    feeds: feeds.length,
    staleAt: ends.length > 0 ? Math.min(...ends) : null,
    problem: isSilent ? "The collector does not answer; its log may say why." : (problem ?? null),
  };
}

/** Returns the latest of some times, null if none is known. */
function latest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length > 0 ? Math.max(...known) : null;
}
