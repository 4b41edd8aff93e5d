/**
 * What a run may know of other datasets: the rows of its own slot where they were due then, else the last good ones, as long
 * as they are not too old to speak for it.
 */
import { isMoney } from "../bitget/product-types.ts";
import { periodAt } from "../core/cron.ts";
import { type ApiVersion, type DatasetName, type Known, publicAccount, type Scope } from "../core/domain.ts";
import type { Context, Dataset } from "../datasets/dataset.ts";
import type { Job, Tools } from "./run-context.ts";

export function contextOf({ dataset, session, tools, slot }: Job, scope: Scope): Context {
  const { store, schedules } = tools;
  const own = schedules[dataset.name];
  const named = (name: DatasetName): Dataset | undefined => tools.datasets.find((one) => one.name === name);

  function lastKnown(name: DatasetName): Known[] {
    const needed = named(name);
    const everybody = dataset.public || needed?.public;
    return needed ? store.latest(needed, everybody ? undefined : session.name) : [];
  }

  /** A dataset that ran at this slot, or was due then, is known by what that run brought, and by nothing older. */
  const wasDue = (name: DatasetName, account: string): boolean =>
    (tools.occasion === "schedule" && schedules[name]?.latest(slot) === slot) || store.hasRun(account, name, slot);

  function known(name: DatasetName): Known[] {
    const pattern = schedules[name] ?? own;
    if (!pattern) return [];
    const oldest = session.client.exchangeNow() - 2 * periodAt(pattern, pattern.latest(slot));
    return lastKnown(name).filter((one) => one.takenAt >= oldest && (one.slot === slot || !wasDue(name, one.account)));
  }

  return {
    scope,
    known,
    lastKnown,
    complete(name) {
      const needed = named(name);
      if (!needed) return false;
      const told = known(name).map((one) => one.scope);
      const asked = store.asked(needed, needed.public ? publicAccount : session.name).filter(isMoney);
      return asked.length > 0 && asked.every((one) => told.includes(one));
    },
  };
}

/** What is asked of an account that speaks this generation; undefined where there is nothing to ask. */
export const scopesOf = (dataset: Dataset, api: ApiVersion | null, tools: Tools): readonly Scope[] | undefined =>
  api === null ? undefined : dataset.endpoints[api]?.scopes(tools.productTypes);
