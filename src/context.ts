/** What a run may know of other datasets: the last good rows, as long as they are not too old to speak for its slot. */
import { periodAt } from "./cron.ts";
import type { Context, Dataset } from "./datasets/dataset.ts";
import type { ApiVersion, DatasetName, Known, Scope } from "./domain.ts";
import type { Job, Tools } from "./job.ts";

export function contextOf({ dataset, session, tools, slot }: Job, api: ApiVersion, scope: Scope): Context {
  const { store, schedules } = tools;
  const named = (name: DatasetName): Dataset | undefined => tools.datasets.find((one) => one.name === name);

  function lastKnown(name: DatasetName): Known[] {
    const needed = named(name);
    const everybody = dataset.public || needed?.public;
    return needed ? store.latest(needed, everybody ? undefined : session.name) : [];
  }

  function known(name: DatasetName): Known[] {
    const pattern = schedules[name] ?? schedules[dataset.name];
    if (!pattern) return [];
    const oldest = session.client.exchangeNow() - 2 * periodAt(pattern, slot);
    return lastKnown(name).filter((one) => one.takenAt >= oldest);
  }

  return {
    scope,
    known,
    lastKnown,
    complete(name) {
      const needed = named(name);
      const asked = needed && (needed.public ? [null] : scopesOf(needed, api, tools));
      const told = known(name).map((one) => one.scope);
      return asked?.every((one) => told.includes(one)) ?? false;
    },
  };
}

/** What is asked of an account that speaks this generation; undefined where there is nothing to ask. */
export const scopesOf = (dataset: Dataset, api: ApiVersion | null, tools: Tools): readonly Scope[] | undefined =>
  api === null ? undefined : dataset.endpoints[api]?.scopes(tools.productTypes);
