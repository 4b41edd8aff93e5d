/** The balances of one coin in one wallet as its good snapshots say, and which of them are needed to judge the ledger. */
import type { DecimalString } from "../core/domain.ts";

/** All good snapshots of a wallet; a coin that a snapshot does not list has the balance "0". */
export interface Snapshots {
  /** When they were taken, by the exchange's clock, oldest first. Epoch ms. */
  times: readonly number[];
  /** The snapshots with another balance than the one before, oldest first; the first one is at index 0. Null is unknown. */
  versions: readonly { since: number; balance: DecimalString | null }[];
}

/** One snapshot: when it was taken, and the balance. */
export interface Balance {
  at: number;
  balance: DecimalString;
}

/**
 * Yields the snapshots next to something that changes: around each of `instants` within `marginMs` and the first one beyond on either
 * side, and around each version. Between two that follow each other in this list nothing changes, so that the others say nothing more.
 */
export function* snapshotsAround(
  snapshots: Snapshots,
  instants: readonly number[],
  marginMs: number,
): Generator<Balance> {
  const { times, versions } = snapshots;
  const needed = new Set<number>([0, times.length - 1]);
  for (const { since } of versions) {
    needed.add(since);
    needed.add(since - 1);
  }
  for (const instant of instants) {
    const to = firstAfter(times, instant + marginMs);
    for (let at = firstAfter(times, instant - marginMs - 1) - 1; at <= to; at++) needed.add(at);
  }
  let version = 0;
  for (const index of [...needed].sort((one, other) => one - other)) {
    while ((versions[version + 1]?.since ?? Number.POSITIVE_INFINITY) <= index) version += 1;
    const [at, balance] = [times[index], versions[version]?.balance];
    if (at !== undefined && balance) yield { at, balance };
  }
}

/** Returns the last snapshot up to an instant; null if there is none. */
export function snapshotBefore({ times, versions }: Snapshots, instant: number): Balance | null {
  const index = firstAfter(times, instant) - 1;
  const [at, version] = [times[index], versions.findLast(({ since }) => since <= index)];
  return at === undefined || !version || version.balance === null ? null : { at, balance: version.balance };
}

/** Returns the index of the first time after `instant`. */
export function firstAfter(times: readonly number[], instant: number): number {
  let [from, to] = [0, times.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((times[middle] ?? 0) <= instant) from = middle + 1;
    else to = middle;
  }
  return from;
}
