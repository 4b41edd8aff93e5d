/**
 * Which stretches of time a run of an incremental dataset has to read, given how far the runs before it came. Pure. The oldest comes
 * first, for the exchange forgets that next, and the watermark moves with each window that was read to its end.
 */
import type { Reading, Stretch, Window } from "../../core/domain.ts";
import { dayMs, minuteMs } from "../../core/time.ts";
import type { ListLimits } from "../../datasets/incremental.ts";

/**
 * Records are written later than their own time: most within seconds, some within minutes or days. So much is read again by every
 * run, and by the first one of a UTC day. Milliseconds.
 */
export const overlapMs = { usual: 600_000, daily: 3 * dayMs };

/** A record at the very edge of the exchange's memory may be gone when its page is asked for. Milliseconds. */
const memoryMarginMs = minuteMs;

/** Windows are asked for with a millisecond more at either end: the exchange does not say whether it counts the ends. */
const edgeMs = 1;

export interface RunTime {
  /** The exchange's time. Epoch ms. */
  now: number;
  /** The exchange's time by which the run is over: what it is to read must be remembered until then. Epoch ms. */
  until: number;
}

export interface Plan {
  /** What nobody read while the exchange remembered it; null where nothing is lost. */
  hole: Stretch | null;
  /** In the order in which they are to be read; never empty. */
  windows: Window[];
}

/** Plans a run. `last` is where the run before it ended; null for the first one, which reads all that the exchange remembers. */
export function planWindows(last: Reading | null, { now, until }: RunTime, limits: ListLimits): Plan {
  const oldest = until - limits.memoryMs + memoryMarginMs;
  const through = last?.through ?? 0;
  const windows: Window[] = [];
  const open = last?.window ?? null;
  if (open && open.to > oldest) windows.push({ ...open, from: Math.max(open.from, oldest) });
  // The newest records of the open window may have been written after its first page was read.
  const edge = Math.min(open?.to ?? through, now);
  const step = limits.spanMs - 2 * edgeMs;
  let from = Math.max(oldest, edge - overlapAt(edge, now));
  while (from < now) {
    const to = Math.min(from + step, now);
    windows.push({ from, to, cursor: null });
    from = to;
  }
  return { hole: through < oldest ? { from: through, to: oldest } : null, windows };
}

const overlapAt = (edge: number, now: number): number =>
  Math.floor(edge / dayMs) === Math.floor(now / dayMs) ? overlapMs.usual : overlapMs.daily;

/** Returns the bounds that a window is asked for with. */
export const askedBounds = ({ from, to }: Stretch): Stretch => ({ from: from - edgeMs, to: to + edgeMs });
