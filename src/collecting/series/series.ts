/** The series of slots that the scheduler runs: one per dataset of an account. */
import { parsePattern } from "../../core/cron.ts";
import type { AnyDataset } from "../../datasets/incremental.ts";
import { hasSubAccounts, type Session, sessionsOf } from "../account-session.ts";
import type { SeriesState } from "../due.ts";
import { dependsOn } from "../related-rows.ts";
import type { CollectorDeps } from "../run-context.ts";
import type { MainAccount } from "../sub-accounts/main-account.ts";

/** What the series are made from. */
export interface SeriesSources {
  sessions: readonly Session[];
  publicSession: Session;
  /** The accounts whose sub-accounts are collected with their keys. */
  mains: readonly MainAccount[];
  deps: CollectorDeps;
}

export interface Series extends SeriesState {
  account: string;
  dataset: AnyDataset;
  /** Null: the account was removed from the settings. */
  session: Session | null;
  /** The series whose runs of the same slot a run of this series waits for. */
  dependencies: readonly Series[];
  /** The steps in progress, and the slot they lead to. Null while nothing is due. */
  work: { slot: number; done: Promise<void> } | null;
}

/** Reads the series of the settings, those of known sub-accounts, and those of removed accounts, whose schedules end. */
export async function loadSeries({ sessions, publicSession, mains, deps }: SeriesSources): Promise<Series[]> {
  const { datasets } = deps;
  const configured: Series[] = [];
  for (const dataset of datasets)
    for (const session of sessionsOf(dataset, sessions, publicSession))
      configured.push(await loadOne(session.name, dataset, session, deps));
  addDependencies(configured, publicSession);
  beginAfterAccounts(configured, deps.clock.now());
  const names = new Set([...sessions, publicSession].map((session) => session.name));
  const others: Series[] = [];
  for (const account of await deps.store.accounts()) {
    if (names.has(account)) continue;
    const main = mains.find((one) => one.owns(account));
    // Another process may have its key.
    if (!main && deps.store.sharing) continue;
    for (const dataset of datasets) {
      const stored = await loadOne(account, dataset, null, deps);
      const isFollowed = main && stored.inForce && hasSubAccounts(dataset);
      others.push(isFollowed ? { ...stored, session: main.restore(account), wanted: main.schedule } : stored);
    }
  }
  return [...configured, ...others].filter(({ inForce, wanted }) => inForce || wanted);
}

/** Reads the series of one dataset of an account, as far as it is stored. */
export async function loadOne(
  account: string,
  dataset: AnyDataset,
  session: Session | null,
  deps: Pick<CollectorDeps, "store" | "scheduleOf">,
): Promise<Series> {
  const series = newSeries(account, dataset, session, deps);
  const stored = await deps.store.schedule(account, dataset.name);
  if (!stored) return series;
  const { pattern, since, processedThrough } = stored;
  return { ...series, inForce: parsePattern(pattern), since, processedThrough };
}

/** Returns a series that was never scheduled. */
export const newSeries = (
  account: string,
  dataset: AnyDataset,
  session: Session | null,
  deps: Pick<CollectorDeps, "scheduleOf">,
): Series => ({
  account,
  dataset,
  session,
  inForce: null,
  wanted: session && (session.subAccount?.schedule ?? deps.scheduleOf(account, dataset.name)),
  since: 0,
  processedThrough: 0,
  lastSlot: Number.NaN,
  lastRun: { from: 0, to: 0 },
  dependencies: [],
  work: null,
});

/** Sets the dependencies of each series. Only public data depends on all accounts; other series are compared with few (there may be thousands). */
function addDependencies(all: readonly Series[], publicSession: Session): void {
  const bySession = new Map<Session | null, Series[]>();
  for (const series of all) bySession.set(series.session, [...(bySession.get(series.session) ?? []), series]);
  for (const series of all) {
    const near = [series.session, publicSession].flatMap((session) => bySession.get(session) ?? []);
    series.dependencies = (series.dataset.public ? all : near).filter((other) => dependsOn(series, other));
  }
}

/**
 * Lets public data begin one slot after `now` (epoch ms) where all it depends on begins too, and comes later in the minute: there is
 * nothing yet to be priced.
 */
function beginAfterAccounts(all: readonly Series[], now: number): void {
  for (const series of all) {
    const { dataset, dependencies, inForce, wanted } = series;
    if (!dataset.public || inForce || !wanted || dependencies.length === 0) continue;
    const isFirst = dependencies.every((one) => !one.inForce && (one.wanted?.second ?? 60) > wanted.second);
    if (isFirst) series.notBefore = wanted.next(now);
  }
}
