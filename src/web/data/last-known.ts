/**
 * Finds the last known state of what is unknown at present. It is what the same table showed at the time of the last good snapshot:
 * never an old value in a new row.
 */
import type { Steps } from "../../core/async/cooperate.ts";
import type { Cell } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { type Close, createCloses, instantText } from "../../queries/close.ts";
import type { Period } from "../../queries/periods.ts";
import { createWallets, type Wallet } from "../../queries/wallets.ts";
import type { HistoryRow } from "../../store/history.ts";
import { comparisonPeriods } from "./comparison-periods.ts";
import type { DataTable, View } from "./table.ts";

/** Returns a period whose close is the state at an instant (epoch ms). */
export const periodAt = (instant: number): Period => ({ name: "", from: instant, to: instant + 1 });

/**
 * Returns a function that gives the time of the last known values of an unknown close, epoch ms; null where it has none, for a chosen
 * instant, and for accounts that were removed from the settings unless one of them is selected.
 */
export function createLastKnownTimes({ history, account, at, isNow }: View) {
  const removed = account === null ? history.accountsRemovedAt(at) : [];
  return ({ account, lastKnownAt }: Pick<Close, "account" | "lastKnownAt">): number | null =>
    isNow && !removed.includes(account) ? lastKnownAt : null;
}

/**
 * Returns the close of every scope at the shown instant. One that is unknown at present has the rows of its last good snapshot, whose
 * time is then in `lastKnownAt`; in the others that is null.
 */
export function* shownCloses(view: View, dataset: Dataset): Steps<Close[]> {
  const { shown, source } = comparisonPeriods(view);
  const lastKnownTimeOf = createLastKnownTimes(view);
  const closes: Close[] = [];
  for (const close of yield* createCloses(source, dataset)(shown)) {
    const { account, productType } = close;
    const lastKnownAt = lastKnownTimeOf(close);
    if (lastKnownAt === null) closes.push({ ...close, lastKnownAt });
    else {
      const then = yield* createCloses({ ...source, account }, dataset)(periodAt(lastKnownAt));
      const rows = then.find((one) => one.account === account && one.productType === productType)?.rows ?? [];
      closes.push({ ...close, rows, lastKnownAt });
    }
  }
  return closes;
}

/** Returns the wallets at the shown instant, with the balances of the last good snapshot like the closes of `shownCloses`. */
export function* shownWallets(view: View): Steps<Wallet[]> {
  const { shown, source } = comparisonPeriods(view);
  const lastKnownTimeOf = createLastKnownTimes(view);
  const wallets: Wallet[] = [];
  for (const present of yield* createWallets(source)(shown)) {
    const { account, wallet } = present;
    const lastKnownAt = lastKnownTimeOf(present);
    if (lastKnownAt === null) wallets.push({ ...present, lastKnownAt });
    else {
      const all = yield* createWallets({ ...source, account })(periodAt(lastKnownAt));
      const then = all.find((one) => one.account === account && one.wallet === wallet);
      wallets.push({ ...present, balances: then?.balances ?? [], lastKnownAt });
    }
  }
  return wallets;
}

/** Returns the cells of a row for the times of its values: `last_known_at` is null where they are of the present. Epoch ms. */
export const timesOf = ({ takenAt, lastKnownAt }: Pick<Close, "takenAt" | "lastKnownAt">): HistoryRow => ({
  taken_at: instantText(takenAt ?? lastKnownAt),
  last_known_at: instantText(lastKnownAt),
});

/**
 * Returns true if a cell of a row is unknown at present and has a last known value: in a row with `last_known_at` every cell but those of
 * `alwaysKnown`, or those whose names are in `last_known`, separated by commas.
 */
export function isLastKnown({ alwaysKnown = [] }: DataTable, row: HistoryRow, name: string): boolean {
  if (!row.last_known_at || name === "last_known" || name === "last_known_at") return false;
  return row.last_known ? String(row.last_known).split(",").includes(name) : !alwaysKnown.includes(name);
}

/**
 * Returns a row as JSON and CSV have it. Of a row with last known values, everything that is unknown at present is null, and
 * `last_known` has its values as a JSON object.
 */
export function servedRow(table: DataTable, row: HistoryRow): HistoryRow {
  const names = table.columns.map(({ name }) => name);
  const isUnknown = (name: string) => isLastKnown(table, row, name);
  const served = Object.fromEntries(names.map((name) => [name, isUnknown(name) ? null : (row[name] ?? null)]));
  if (!row.last_known_at) return served;
  const last = names.filter(isUnknown).map((name) => [name, jsonCell(row[name])]);
  return { ...served, last_known: JSON.stringify(Object.fromEntries(last)) };
}

/** Returns a cell for JSON. Amounts stay strings, because JSON numbers are not exact; counts and flags become numbers. */
export const jsonCell = (cell: Cell | undefined): Cell => (typeof cell === "bigint" ? Number(cell) : (cell ?? null));
