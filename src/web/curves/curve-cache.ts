/** What was read of long histories stays in memory, as far as there is room for it. */
import type { SlotPoint } from "./lines.ts";

export interface Summary {
  /** What it was read from; another file, or one that was pruned, is read anew. */
  origin: string;
  /** Kept points of each hour, in the order of time. */
  hours: { from: number; points: SlotPoint[] }[];
  /** How many points that is. */
  size: number;
}

/**
 * So many curves, and so many points of all of them, are kept: a point takes up to 350 bytes, and a year of minutes about
 * 100,000 points of equity. One that is larger than all the room is kept alone.
 */
export const room = { curves: 24, points: 400_000 };

export type Room = typeof room;

export function createKept({ curves, points }: Room = room) {
  /** The one that was not asked for longest is the first. */
  const summaries = new Map<string, Summary>();
  const held = () => [...summaries.values()].reduce((sum, { size }) => sum + size, 0);

  return {
    /** What was read under this name before, or a beginning. */
    of(name: string, origin: string): Summary {
      const found = summaries.get(name);
      const summary = found?.origin === origin ? found : { origin, hours: [], size: 0 };
      summaries.delete(name);
      summaries.set(name, summary);
      return summary;
    },
    /** Lets go of others, for `summary` has grown. */
    makeRoom(summary: Summary): void {
      for (const [name, one] of summaries) {
        if (summaries.size <= curves && held() <= points) return;
        if (one !== summary) summaries.delete(name);
      }
    },
    /** Whether what nobody has asked for yet may be read as well. */
    isHalfEmpty: (): boolean => held() < points / 2,
  };
}
