/** Ends the schedules of an account that is collected no more, so that its later slots are not due. */
import type { DatasetName } from "../../core/domain.ts";
import { nextStep } from "../due.ts";
import type { CollectorDeps } from "../run-context.ts";
import { loadOne, type Series } from "./series.ts";

type Deps = Pick<CollectorDeps, "store" | "datasets" | "clock">;

/** A schedule in force. */
export interface InForce {
  dataset: DatasetName;
  pattern: string;
  /** When it began, epoch ms. */
  since: number;
}

/** Returns the schedules of an account that are in force. */
export async function schedulesInForce(account: string, deps: Deps): Promise<InForce[]> {
  const all = await loadAll(account, deps);
  return all.flatMap(({ dataset, inForce, since }) =>
    inForce ? [{ dataset: dataset.name, pattern: inForce.text, since }] : [],
  );
}

/**
 * Closes the slots of an account up to now as missed, each with its row, and with `isEnd` ends its schedules. Can be repeated.
 * @throws StorageError if the database cannot be written
 */
export async function closeAccount(account: string, deps: Deps, { isEnd }: { isEnd: boolean }): Promise<void> {
  const { store, clock } = deps;
  const now = clock.now();
  const presence = { startedAt: now, effectiveAt: now, behindMs: 0, unconfirmed: { from: 0, to: 0 }, downtimes: [] };
  for (const series of await loadAll(account, deps)) {
    while (series.inForce) {
      const step = nextStep(series, presence, now);
      if (step?.kind === "close") {
        await store.closeSlots(account, series.dataset.name, step.slots);
        series.processedThrough = step.slots.at(-1)?.slot ?? now;
      } else if (isEnd) {
        await store.setSchedule(account, series.dataset.name, null, now);
        series.inForce = null;
      } else break;
    }
  }
}

/** Reads the series of all datasets, which no settings want. */
async function loadAll(account: string, deps: Deps): Promise<Series[]> {
  const all: Series[] = [];
  for (const dataset of deps.datasets)
    all.push(await loadOne(account, dataset, null, { ...deps, scheduleOf: () => null }));
  return all;
}
