/** Reads the rows of a dataset at the close of a period, or now if the period is in progress; a close may be unknown. */
import { pause, type Steps } from "../core/async/cooperate.ts";
import type { Cell } from "../core/domain.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { HistoryRow, ScopeAsOf } from "../store/history.ts";
import type { Period } from "./periods.ts";
import type { Source } from "./source.ts";

/** One scope of an account at the close. */
export interface Close {
  account: string;
  /** Null for the whole account, or if no scope of it was ever requested. */
  productType: string | null;
  /** The time of the snapshot that the close is read from; null if the close is unknown. Epoch ms. */
  takenAt: number | null;
  known: boolean;
  /** The time of the last good snapshot, if the close is unknown because that is too old; else null. Epoch ms. */
  lastKnownAt: number | null;
  /** The slot of the last good snapshot; null if there is none. Epoch ms. */
  slot: number | null;
  /** Empty if the close is unknown, or (with `known`) if there was nothing. */
  rows: readonly HistoryRow[];
}

/** Reads the state of every scope at the end of a period. */
export type ClosesAt = (period: Period) => Steps<Close[]>;

/**
 * Returns a function that gives the state of each scope at the end of a period. It is read from the last good snapshot before the end,
 * and unknown if that is older than two periods of its schedule or, without a schedule, from before the period. From its first slot
 * on, an account has at least one close for each dataset.
 */
export function createCloses({ history, account: only, now }: Source, dataset: Dataset): ClosesAt {
  const account = dataset.public ? null : only;
  const series = history.series(account).filter((one) => one.dataset === dataset.name);
  const firstTimes = new Map<string, number>();
  const firstTakenAt = ({ account, productType }: ScopeAsOf): number => {
    const name = `${account} ${productType}`;
    const found = firstTimes.get(name) ?? history.firstTaken(dataset, account, productType) ?? Number.POSITIVE_INFINITY;
    firstTimes.set(name, found);
    return found;
  };

  return function* ({ from, to }) {
    const instant = Math.min(to - 1, now);
    const closes: Close[] = [];
    for (const { account, firstAt } of series) {
      const { columns, scopes, rows } = history.asOf(dataset, { account }, instant);
      const typeAt = columns.indexOf("product_type");
      const requested = scopes
        .filter((scope) => firstTakenAt(scope) <= instant)
        .map(({ productType, takenAt, slot, known, maxAgeMs }): Close => {
          if (takenAt === null || !known || (maxAgeMs === null && takenAt < from))
            return { account, productType, takenAt: null, known: false, lastKnownAt: takenAt, slot, rows: [] };
          const own = rows.filter((row) => typeAt < 0 || row[typeAt] === productType);
          const found = own.map((row) => toRow(columns, row));
          return { account, productType, takenAt, known: true, lastKnownAt: null, slot, rows: found };
        });
      closes.push(...requested);
      if (requested.length === 0 && firstAt <= instant)
        closes.push({
          account,
          productType: null,
          takenAt: null,
          known: false,
          lastKnownAt: null,
          slot: null,
          rows: [],
        });
      yield pause;
    }
    return closes;
  };
}

const toRow = (columns: readonly string[], row: readonly Cell[]): HistoryRow =>
  Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null]));

/** Returns a text of a row, such as a coin; "" if it is missing. */
export const textOf = (row: HistoryRow, column: string): string => String(row[column] ?? "");

/** Returns a time in ISO 8601; null for null. `at`: epoch ms. */
export const instantText = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
