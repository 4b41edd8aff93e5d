/** The ledger as it must be, worked out from what was done to the program: own enumeration of slots, own verdict on each. */
import { type DatasetName, publicAccount } from "../../src/core/domain.ts";
import { modelled } from "../support/declared.ts";
import { halfHour, isDue, patternOf } from "./regimes.ts";

export interface Fate {
  state: "ok" | "partial" | "failed" | "missed";
  /** What the ledger may say: where several troubles come together, more than one answer is right. */
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

/** What is run later than this is not run any more; every schedule here is half an hour or longer. */
const grace = 5 * 60_000;

export const missed = (cause: string): Fate => ({ state: "missed", causes: [cause] });
export const crashed: Fate = { state: "failed", causes: ["crashed"] };

/** Slots by the wall clock of the machine. All instants are epoch ms. */
export class ExpectedLedger {
  readonly fates = new Map(allSeries.map((one) => [nameOf(one), new Map<number, Fate>()]));
  readonly #processedThrough = new Map<string, number>();
  #regime = -1;

  /** The program was started with this regime: what the one before made due until now was run by nobody. */
  started(regime: number, now: number): void {
    for (const one of allSeries) {
      const isNew = this.#regime < 0 || patternOf(this.#regime, one.dataset) !== patternOf(regime, one.dataset);
      if (!isNew) continue;
      if (this.#regime >= 0) this.#miss(one, now, "not running");
      this.#processedThrough.set(nameOf(one), now);
    }
    this.#regime = regime;
  }

  /** Who has a slot at this half hour that nobody has run yet. */
  due(slot: number): Series[] {
    const isOpen = (one: Series) => (this.#fatesOf(one).get(slot)?.state ?? "missed") === "missed";
    return allSeries.filter((one) => isDue(this.#regime, one.dataset, slot) && isOpen(one));
  }

  /** The program looked at its clock: slots it comes too late for were missed for this reason, the others are run. */
  looked(now: number, cause: string, run: (series: Series, slot: number) => Fate): void {
    for (const one of allSeries) {
      const slot = this.#latest(one, now);
      if (slot === null) continue;
      this.#miss(one, slot - 1, cause);
      const fates = this.#fatesOf(one);
      const known = fates.get(slot)?.state ?? "missed";
      const isNew = slot > (this.#processedThrough.get(nameOf(one)) ?? 0) || fates.has(slot);
      if (now - slot > grace) this.#miss(one, slot, cause);
      else if (isNew && known === "missed") {
        fates.set(slot, run(one, slot));
        this.#account(one, slot);
      }
    }
  }

  #fatesOf(one: Series): Map<number, Fate> {
    const fates = this.fates.get(nameOf(one));
    if (!fates) throw new Error(`no series ${nameOf(one)}`);
    return fates;
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
      const fates = this.#fatesOf(one);
      // A clock that was set back comes to slots again that have their row.
      if (!fates.has(slot)) fates.set(slot, missed(cause));
      this.#account(one, slot);
    }
  }

  #account(one: Series, slot: number): void {
    this.#processedThrough.set(nameOf(one), Math.max(slot, this.#processedThrough.get(nameOf(one)) ?? 0));
  }
}
