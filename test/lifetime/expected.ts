/** The expected run ledger, computed from what was done to the collector, with an independent enumeration of slots. */
import { type DatasetName, publicAccount } from "../../src/core/domain.ts";
import { modelled } from "../support/declared.ts";
import { halfHour, isDue, patternOf } from "./regimes.ts";

export interface Outcome {
  state: "ok" | "partial" | "failed" | "missed";
  /** The accepted causes: where several faults coincide, more than one is correct. */
  causes: readonly (string | null)[];
}

export interface Series {
  account: string;
  dataset: DatasetName;
}

export const accounts = ["main", "hedge"] as const;

export const allSeries: readonly Series[] = [
  ...accounts.flatMap((account) =>
    modelled.filter((one) => !one.public).map(({ name }) => ({ account, dataset: name })),
  ),
  ...modelled.filter((one) => one.public).map(({ name }) => ({ account: publicAccount, dataset: name })),
];

export const nameOf = ({ account, dataset }: Series): string => `${account} ${dataset}`;

/** Slots later than this are missed instead of run; every period here is at least half an hour. */
const grace = 5 * 60_000;

export const missed = (cause: string): Outcome => ({ state: "missed", causes: [cause] });
export const crashed: Outcome = { state: "failed", causes: ["crashed"] };

/** Slots by the machine's wall clock. All times are epoch ms. */
export class ExpectedRuns {
  readonly outcomes = new Map(allSeries.map((one) => [nameOf(one), new Map<number, Outcome>()]));
  readonly #processedThrough = new Map<string, number>();
  #regime = -1;

  /** Records a start with this regime: slots of a replaced schedule up to now were missed. */
  programStarted(regime: number, now: number): void {
    for (const one of allSeries) {
      const isNew = this.#regime < 0 || patternOf(this.#regime, one.dataset) !== patternOf(regime, one.dataset);
      if (!isNew) continue;
      if (this.#regime >= 0) this.#miss(one, now, "not running");
      this.#processedThrough.set(nameOf(one), now);
    }
    this.#regime = regime;
  }

  /** Returns the series with a slot at this half hour that has not been run. */
  due(slot: number): Series[] {
    const isOpen = (one: Series) => (this.#outcomesOf(one).get(slot)?.state ?? "missed") === "missed";
    return allSeries.filter((one) => isDue(this.#regime, one.dataset, slot) && isOpen(one));
  }

  /** Records a clock check: slots that are too late were missed for this cause, the others are run. */
  clockChecked(now: number, cause: string, run: (series: Series, slot: number) => Outcome): void {
    for (const one of allSeries) {
      const slot = this.#latest(one, now);
      if (slot === null) continue;
      this.#miss(one, slot - 1, cause);
      const outcomes = this.#outcomesOf(one);
      const known = outcomes.get(slot)?.state ?? "missed";
      const isNew = slot > (this.#processedThrough.get(nameOf(one)) ?? 0) || outcomes.has(slot);
      if (now - slot > grace) this.#miss(one, slot, cause);
      else if (isNew && known === "missed") {
        outcomes.set(slot, run(one, slot));
        this.#account(one, slot);
      }
    }
  }

  #outcomesOf(one: Series): Map<number, Outcome> {
    const outcomes = this.outcomes.get(nameOf(one));
    if (!outcomes) throw new Error(`no series ${nameOf(one)}`);
    return outcomes;
  }

  #latest({ dataset }: Series, now: number): number | null {
    const first = Math.floor(now / halfHour) * halfHour;
    for (let slot = first; slot > first - 5 * 86_400_000; slot -= halfHour)
      if (isDue(this.#regime, dataset, slot)) return slot;
    return null;
  }

  #miss(one: Series, last: number, cause: string): void {
    const from = this.#processedThrough.get(nameOf(one)) ?? 0;
    for (let slot = Math.floor(from / halfHour) * halfHour + halfHour; slot <= last; slot += halfHour) {
      if (!isDue(this.#regime, one.dataset, slot)) continue;
      const outcomes = this.#outcomesOf(one);
      // After the clock was set back, slots come again that already have their row.
      if (!outcomes.has(slot)) outcomes.set(slot, missed(cause));
      this.#account(one, slot);
    }
  }

  #account(one: Series, slot: number): void {
    this.#processedThrough.set(nameOf(one), Math.max(slot, this.#processedThrough.get(nameOf(one)) ?? 0));
  }
}
