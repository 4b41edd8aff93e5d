/**
 * Plans which time windows a run of an incremental dataset reads, given the watermark of the previous runs. Pure. The oldest window
 * comes first, because the exchange deletes it next; the watermark moves with each window that was read completely.
 */
import type { ReadProgress, TimeRange, Window } from "../../core/domain.ts";
import { dayMs, minuteMs, startOfDay } from "../../core/time.ts";
import type { ListRules } from "../../datasets/incremental.ts";

/** How far back the first run of a UTC day reads again: some records appear days later than their own time. Milliseconds. */
export const dailyOverlapMs = 3 * dayMs;

/** Distance of windows from the exchange's retention limit, where records may be deleted before their page is requested. Milliseconds. */
const retentionMarginMs = minuteMs;

/** Widens requested windows at both ends: whether the exchange includes the bounds is not documented. Milliseconds. */
const edgeMs = 1;

export interface RunTime {
  /** The exchange's time. Epoch ms. */
  now: number;
  /** The exchange's time at the run's deadline: planned windows must be available until then. Epoch ms. */
  until: number;
}

export interface Plan {
  /** The time span that was deleted before it was read; null if nothing is lost. */
  hole: TimeRange | null;
  /** In the order in which they are to be read; never empty. */
  windows: Window[];
}

/** Plans a run. `last`: where the previous run ended; null for the first run, which reads everything the exchange has. */
export function planWindows(last: ReadProgress | null, { now, until }: RunTime, limits: ListRules): Plan {
  const oldest = until - limits.retentionMs + retentionMarginMs;
  const through = last?.through ?? 0;
  const windows: Window[] = [];
  const open = last?.window ?? null;
  if (open && open.to > oldest) windows.push({ ...open, from: Math.max(open.from, oldest) });
  // The newest records of the open window may have appeared after its first page was read.
  const edge = Math.min(open?.to ?? through, now);
  const step = limits.spanMs - 2 * edgeMs;
  let from = Math.max(oldest, edge - overlapAt(edge, now, limits));
  while (from < now) {
    const to = Math.min(from + step, now);
    windows.push({ from, to, cursor: null });
    from = to;
  }
  return { hole: through < oldest ? { from: through, to: oldest } : null, windows };
}

const overlapAt = (edge: number, now: number, { overlapMs }: ListRules): number =>
  startOfDay(edge) === startOfDay(now) ? overlapMs : dailyOverlapMs;

/** Returns the bounds that a window is requested with. */
export const requestedBounds = ({ from, to }: TimeRange): TimeRange => ({ from: from - edgeMs, to: to + edgeMs });
