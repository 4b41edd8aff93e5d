/** What was read of long histories stays in memory, as far as there is room for it. */
import type { Mark } from "../../store/history.ts";
import type { SlotPoint } from "./lines.ts";

export interface Hour {
  from: number;
  /** In the order of time. */
  points: SlotPoint[];
  /** Every slot of it had its final row when it was read. */
  isFinal: boolean;
}

export interface Summary {
  /** The end of the history when it was last asked for. */
  mark: Mark;
  /** In the order of time. */
  hours: Hour[];
  /** How many points they have. */
  size: number;
}

/**
 * So many curves, and so many points of all of them, are kept: a point takes up to 350 bytes, and a year of minutes about
 * 100,000 points of equity. One that is larger than all the room is kept alone.
 */
export const capacity = { curves: 24, points: 400_000 };

export class CurveCache {
  readonly #room: typeof capacity;
  /** The one that was not asked for longest is the first. */
  readonly #summaries = new Map<string, Summary>();

  constructor(size = capacity) {
    this.#room = size;
  }

  get(name: string): Summary | undefined {
    return this.#summaries.get(name);
  }

  /** Keeps a summary, or one that has grown, and lets go of others where there is no room. */
  set(name: string, summary: Summary): void {
    this.#summaries.delete(name);
    this.#summaries.set(name, summary);
    const { curves, points } = this.#room;
    for (const other of this.#summaries.keys()) {
      if (this.#summaries.size <= curves && this.#size() <= points) return;
      if (other !== name) this.#summaries.delete(other);
    }
  }

  /** Returns whether what nobody has asked for yet may be read as well. */
  isHalfEmpty(): boolean {
    return this.#size() < this.#room.points / 2;
  }

  #size(): number {
    return [...this.#summaries.values()].reduce((sum, { size }) => sum + size, 0);
  }
}
