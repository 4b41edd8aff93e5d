/**
 * Reads the rows of other datasets that a run depends on: those of its own slot if they were due then, else the last good ones
 * unless they are stale.
 */
import { holdsMoney } from "../bitget/product-types.ts";
import { freshUntil } from "../core/cron.ts";
import { type DatasetName, type KnownRows, publicAccount, type Scope } from "../core/domain.ts";
import { minuteMs } from "../core/time.ts";
import type { MapperInput } from "../datasets/dataset.ts";
import { type AnyDataset, sourcesOf } from "../datasets/incremental.ts";
import type { Session } from "./account-session.ts";
import type { RunContext } from "./run-context.ts";

interface Source {
  dataset: AnyDataset;
  /** Null: the account was removed from the settings. */
  session: Session | null;
}

/**
 * Returns true if a run of `one` uses rows of a run of `other` at the same slot. Nothing waits for sub-accounts, which may take most
 * of a minute: the prices are those of the coins they were last seen with.
 */
export function dependsOn(one: Source, other: Source): boolean {
  if (other.session?.subAccount) return false;
  const isRelated = one.dataset.public || other.dataset.public || one.session === other.session;
  return isRelated && sourcesOf(one.dataset).some(({ needs }) => needs.includes(other.dataset.name));
}

/** The rows of one dataset for a mapper. */
interface Related {
  lastKnown: KnownRows[];
  /** Those that are current, and so may be used as values. */
  known: KnownRows[];
  complete: boolean;
}

const unrelated: Related = { lastKnown: [], known: [], complete: false };

/** Reads what a mapper may use in addition to the response: the stored rows of the datasets in `needs`. */
export async function mapperInput(run: RunContext, scope: Scope, needs: readonly DatasetName[]): Promise<MapperInput> {
  const related = new Map<DatasetName, Related>();
  for (const name of needs) related.set(name, await readRelated(run, name));
  const of = (name: DatasetName): Related => related.get(name) ?? unrelated;
  return {
    scope,
    known: (name) => of(name).known,
    lastKnown: (name) => of(name).lastKnown,
    complete: (name) => of(name).complete,
  };
}

async function readRelated(run: RunContext, name: DatasetName): Promise<Related> {
  const { dataset, session, slot, deps } = run;
  const { store, scheduleOf } = deps;
  const needed = deps.datasets.find((one) => one.name === name);
  if (needed?.mode !== "snapshot") return unrelated;
  const account = dataset.public || needed.public ? undefined : session.name;
  const lastKnown = await store.latest(needed, account);
  const known: KnownRows[] = [];
  for (const one of lastKnown) {
    const pattern = scheduleOf(one.account, name) ?? scheduleOf(session.name, dataset.name);
    const isFresh = pattern !== null && deps.clock.now() <= freshUntil(pattern, one.slot);
    if (isFresh && (one.slot === slot || !(await isReplaced(run, name, one)))) known.push(one);
  }
  const requested = (await store.requestedScopes(needed, needed.public ? publicAccount : session.name)).filter(
    holdsMoney,
  );
  const complete = requested.length > 0 && requested.every((one) => known.some(({ scope }) => scope === one));
  return { lastKnown, known, complete };
}

/**
 * Returns true if the dataset ran at this slot, or was due since the minute of the slot began (public data and accounts have different
 * seconds): older rows must not be used in place of those of that run.
 */
async function isReplaced({ trigger, slot, deps }: RunContext, name: DatasetName, rows: KnownRows): Promise<boolean> {
  const due = trigger === "schedule" ? deps.scheduleOf(rows.account, name)?.latest(slot) : undefined;
  if (due !== undefined && due >= slot - (slot % minuteMs) && rows.slot < due) return true;
  return deps.store.hasRun(rows.account, name, slot);
}
