/** The slots of several items together. Accounts with different phases have one common slot, at the time of the first account. */

import type { SchedulePeriod } from "../../store/history.ts";

export class CommonSlots {
  readonly #schedules: readonly SchedulePeriod[][];
  /** The seconds of the first and the last account in their minute. */
  readonly #first: number;
  readonly #last: number;

  /** `schedules`: those that each item ever had. */
  constructor(schedules: readonly SchedulePeriod[][]) {
    const seconds = schedules.flat().map(({ pattern }) => pattern.second);
    this.#schedules = schedules;
    this.#first = Math.min(...seconds);
    this.#last = Math.max(...seconds);
  }

  /** The time between the first and the last account in their minute; 0 without phases. Milliseconds. */
  get spreadMs(): number {
    return Math.max(0, this.#last - this.#first) * 1000;
  }

  /** Returns the common slot of the slot of an item. Epoch ms. */
  of(item: number, slot: number): number {
    const inForce = this.#schedules[item]?.find(({ since, until }) => since < slot && until >= slot);
    return inForce ? slot - this.#phaseOf(inForce) : slot;
  }

  /** Returns whether an item had a schedule at a common slot. */
  isScheduled(item: number, slot: number): boolean {
    return this.#schedules[item]?.some(({ since, until }) => since < slot && until >= slot) ?? false;
  }

  /** Returns the first common slot between two that was due by any of the schedules, epoch ms, or null if there was none. */
  firstDue(after: number, before: number): number | null {
    let first: number | null = null;
    for (const one of this.#schedules)
      for (const period of one) {
        const { pattern, since, until } = period;
        const phase = this.#phaseOf(period);
        if (until <= after + phase || since >= before + phase) continue;
        const due = pattern.next(Math.max(after + phase, since));
        const slot = due - phase;
        if (slot < before && due <= until && (first === null || slot < first)) first = slot;
      }
    return first;
  }

  #phaseOf({ pattern }: SchedulePeriod): number {
    return (pattern.second - this.#first) * 1000;
  }
}
