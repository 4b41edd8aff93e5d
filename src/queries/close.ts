/** What a dataset held when a period closed, or stands at now while it goes on; and what of that is not known. */
import { pause, type Steps } from "../core/async/cooperate.ts";
import type { Cell } from "../core/domain.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { HistoryRow, ScopeAsOf } from "../store/history.ts";
import type { Period } from "./periods.ts";
import type { Source } from "./source.ts";

/** One scope of an account. */
export interface Close {
  account: string;
  /** Null: the whole account, or that no scope of it was ever asked. */
  productType: string | null;
  /** Of the snapshot that speaks for the close; null where none does. Epoch ms. */
  takenAt: number | null;
  known: boolean;
  /** Nothing was there where the close is known and this is empty. */
  rows: readonly HistoryRow[];
}

export type ClosesAt = (period: Period) => Steps<Close[]>;

/**
 * Prepares the question. A close is known from the last good snapshot before the end, which must not be older than two
 * periods of its schedule, or, where there was no schedule, be of the period itself. An account has at least one
 * closing for each dataset from its first slot on.
 */
export function createCloses({ history, account: only, now }: Source, dataset: Dataset): ClosesAt {
  const account = dataset.public ? null : only;
  const series = history.series(account).filter((one) => one.dataset === dataset.name);
  const begins = new Map<string, number>();
  const firstTakenAt = ({ account, productType }: ScopeAsOf): number => {
    const name = `${account} ${productType}`;
    const found = begins.get(name) ?? history.firstTaken(dataset, account, productType) ?? Number.POSITIVE_INFINITY;
    begins.set(name, found);
    return found;
  };

  return function* ({ from, to }) {
    const instant = Math.min(to - 1, now);
    const closes: Close[] = [];
    for (const { account, firstAt } of series) {
      const { columns, scopes, rows } = history.asOf(dataset, { account }, instant);
      const typeAt = columns.indexOf("product_type");
      const asked = scopes
        .filter((scope) => firstTakenAt(scope) <= instant)
        .map(({ productType, takenAt, known, maxAgeMs }): Close => {
          if (takenAt === null || !known || (maxAgeMs === null && takenAt < from))
            return { account, productType, takenAt: null, known: false, rows: [] };
          const own = rows.filter((row) => typeAt < 0 || row[typeAt] === productType);
          return { account, productType, takenAt, known: true, rows: own.map((row) => toRow(columns, row)) };
        });
      closes.push(...asked);
      if (asked.length === 0 && firstAt <= instant)
        closes.push({ account, productType: null, takenAt: null, known: false, rows: [] });
      yield pause;
    }
    return closes;
  };
}

const toRow = (columns: readonly string[], row: readonly Cell[]): HistoryRow =>
  Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null]));

/** A text of a row, such as a coin. */
export const textOf = (row: HistoryRow, column: string): string => String(row[column] ?? "");

export const instantText = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
