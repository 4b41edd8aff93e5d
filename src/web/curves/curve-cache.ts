/** Caches curve summaries (least recently used are evicted), so that long histories are read once. */
import type { Mark } from "../../store/history.ts";
import type { SlotPoint } from "./lines.ts";

/** The points that are kept of one hour. */
export interface Hour {
  from: number;
  /** In chronological order. */
  points: SlotPoint[];
  /** Whether every slot of the hour was closed when it was read. */
  isFinal: boolean;
}

/** The kept points of a whole curve. */
export interface Summary {
  /** The end of the history when the summary was last read. */
  mark: Mark;
  /** In chronological order. */
  hours: Hour[];
  /** Total number of points. */
  size: number;
}

/**
 * Maximum number of curves and of their points together. A point takes up to 350 bytes; a year of equity at one snapshot a minute has
 * about 100,000 points. A curve that exceeds the limit alone is kept without others.
 */
export const capacity = { curves: 24, points: 400_000 };

/** Keeps curve summaries in memory, within `capacity`. */
export class CurveCache {
  readonly #room: typeof capacity;
  /** Ordered by last use, oldest first. */
  readonly #summaries = new Map<string, Summary>();

  constructor(size = capacity) {
    this.#room = size;
  }

  get(name: string): Summary | undefined {
    return this.#summaries.get(name);
  }

  /** Stores a new or extended summary, and evicts the least recently used ones beyond the capacity. */
  set(name: string, summary: Summary): void {
    this.#summaries.delete(name);
    this.#summaries.set(name, summary);
    const { curves, points } = this.#room;
    for (const other of this.#summaries.keys()) {
      if (this.#summaries.size <= curves && this.#size() <= points) return;
      if (other !== name) this.#summaries.delete(other);
    }
  }

  /** Returns whether there is room to preload curves. */
  isHalfEmpty(): boolean {
    return this.#size() < this.#room.points / 2;
  }

  #size(): number {
    return [...this.#summaries.values()].reduce((sum, { size }) => sum + size, 0);
  }
}
