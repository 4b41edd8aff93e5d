/** Computes the equity of each account and of all together. An incomplete sum is never shown as the total. */
import type { Steps } from "../../core/async/cooperate.ts";
import { decimalIn, subtract, sum } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { minuteMs } from "../../core/time.ts";
import { equity as dataset } from "../../datasets/snapshots/equity.ts";
import { type Close, createCloses } from "../../queries/close.ts";
import { equityOf, missingText, missingWords, pricedPartOf, unpricedText } from "../../queries/equity.ts";
import { comparisonPeriods, selectedAccounts } from "./comparison-periods.ts";
import { shownCloses, timesOf } from "./last-known.ts";
import { amount, type DataTable, instant, lastKnownColumns, profit, text, type View } from "./table.ts";

export const walletColumns = [
  amount("spot_usdt", "Spot"),
  amount("futures_usdt", "Futures"),
  amount("unified_usdt", "Unified"),
  amount("other_usdt", "Funding, earn, bots, margin"),
];

export const equity: DataTable = {
  name: "equity",
  summary: "the equity of each account in USDT, by wallet, and its change since the previous close",
  columns: [
    text("account", "Account"),
    text("state", "State"),
    amount("usdt_equity", "Equity, USDT"),
    amount("known_part", "Partial equity"),
    ...walletColumns,
    amount("yesterday", "Previous close"),
    profit("change", "Today"),
    instant("taken_at", "Updated"),
    text("unpriced", "No price"),
    text("missing", "Missing"),
    ...lastKnownColumns,
  ],
  alwaysKnown: ["account", "state", "yesterday"],
  *rows(view) {
    const { yesterday, source } = comparisonPeriods(view);
    const before = yield* createCloses(source, dataset)(yesterday);
    for (const close of yield* shownCloses(view, dataset)) {
      const { account, known, lastKnownAt } = close;
      const total = equityOf(close);
      const opening = equityOf(before.find((one) => one.account === account));
      const isOfToday = lastKnownAt === null || lastKnownAt >= yesterday.to;
      const row = close.rows[0];
      yield {
        account,
        state: !known ? "unknown" : total !== null ? "complete" : "incomplete",
        usdt_equity: total,
        known_part: total === null ? pricedPartOf(row) : null,
        ...Object.fromEntries(walletColumns.map(({ name }) => [name, decimalIn(row, name)])),
        yesterday: opening,
        change: total !== null && opening !== null && isOfToday ? subtract(total, opening) : null,
        unpriced: unpricedText(row),
        missing: missingText(row),
        ...timesOf(close),
      };
    }
  },
};

/** Describes the equity of the accounts together, at one slot. */
export interface Total {
  /** Null when any part is unknown. */
  value: DecimalString | null;
  /** The sum of the known parts; null when there is none, or when `value` is known. */
  knownPart: DecimalString | null;
  /** A sentence for each account whose equity is incomplete or unknown. */
  missing: string[];
  /** The time of the oldest snapshot in the sum, epoch ms; null when there is none. */
  takenAt: number | null;
  /** The accounts in the sum. */
  accounts: string[];
}

/** The equity of all accounts together, now and at the previous close. */
export interface Totals {
  now: Total;
  yesterday: Total;
  change: DecimalString | null;
  /** The last complete equity where there is none now, at a slot (epoch ms) that all accounts share; null where there is no such slot. */
  lastKnown: { value: DecimalString; change: DecimalString | null; at: number } | null;
}

/** Computes the equity of all accounts together at slots that they have in common. */
export function* totals(view: View): Steps<Totals> {
  const periods = comparisonPeriods(view);
  const now = yield* totalAt(view, periods, periods.shown);
  const yesterday = yield* totalAt(view, periods, periods.yesterday);
  // When accounts were added or removed, the difference is not a change of the same equity.
  const isSame = now.accounts.join() === yesterday.accounts.join();
  const changeOf = (value: DecimalString | null) =>
    isSame && value !== null && yesterday.value !== null ? subtract(value, yesterday.value) : null;
  const last = now.value === null && view.isNow ? lastComplete(view, now.accounts, view.at) : null;
  const isOfToday = last !== null && last.at >= periods.yesterday.to;
  const lastKnown = last && { ...last, change: isOfToday ? changeOf(last.value) : null };
  // Where nothing is of the present, the banner of the page says why.
  const missing = lastKnown && now.knownPart === null ? [] : now.missing;
  return { now: { ...now, missing }, yesterday, change: changeOf(now.value), lastKnown };
}

type ComparedPeriod = ReturnType<typeof comparisonPeriods>["shown"];

function* totalAt(view: View, { source }: ReturnType<typeof comparisonPeriods>, period: ComparedPeriod): Steps<Total> {
  const instant = Math.min(period.to - 1, source.now);
  const removed = view.account === null ? view.history.accountsRemovedAt(instant) : [];
  const closes = (yield* createCloses(source, dataset)(period)).filter(({ account }) => !removed.includes(account));
  const accounts = selectedAccounts(view).filter((name) => closes.some(({ account }) => account === name));
  const pricedParts = closes.flatMap(({ rows }) => pricedPartOf(rows[0]) ?? []);
  const knownPart = pricedParts.length > 0 ? sum(pricedParts) : null;
  const times = closes.flatMap(({ takenAt }) => takenAt ?? []);
  const takenAt = times.length > 0 ? Math.min(...times) : null;
  const missing = closes.flatMap(missingParts);
  if (missing.length > 0 || closes.length === 0) return { value: null, knownPart, missing, takenAt, accounts };
  const last = lastComplete(view, accounts, instant);
  if (last) return { value: last.value, knownPart: null, missing: [], takenAt, accounts };
  const missingTime = ["The accounts have no complete equity at a common slot."];
  return { value: null, knownPart, missing: missingTime, takenAt, accounts };
}

/** Returns the sum of the accounts at the last slot with complete equity of all of them, up to an instant; null if there is none. */
function lastComplete({ history }: View, accounts: readonly string[], instant: number) {
  const same = latestCommonSlot(accounts.map((account) => history.lastCompleteEquities(account, instant)));
  return same && { value: sum(same.map(({ value }) => value)), at: Math.min(...same.map(({ slot }) => slot)) };
}

function missingParts(close: Close): string[] {
  const { account, known, rows } = close;
  if (equityOf(close) !== null) return [];
  if (!known) return [`${account}: no recent data`];
  const [row] = rows;
  const [unpriced, unknown] = [unpricedText(row), missingWords(row)];
  return [
    ...(unpriced ? [`${account}: no price for ${unpriced}`] : []),
    ...(unknown ? [`${account}: ${unknown} missing`] : []),
  ];
}

/**
 * Returns one complete equity per account from the newest slot that all of them share, or from the newest minute if that is later,
 * because accounts have different seconds; null where there is none. For a single account that is its newest slot, scheduled or manual.
 */
function latestCommonSlot<T extends { slot: number }>(accounts: readonly T[][]): T[] | null {
  const minuteOf = (slot: number) => Math.floor(slot / minuteMs);
  const exact = latestCommon(accounts, (slot) => slot);
  const near = latestCommon(accounts, minuteOf);
  const isAsNew = exact && near && minuteOf(near[0]?.slot ?? 0) <= minuteOf(exact[0]?.slot ?? 0);
  return isAsNew ? exact : near;
}

/** Returns the newest equities, one per account, that have a time in common; null where there are none. */
function latestCommon<T extends { slot: number }>(
  accounts: readonly T[][],
  timeOf: (slot: number) => number,
): T[] | null {
  const [first = [], ...others] = accounts.map((equities) => {
    const newest = new Map<number, T>();
    for (const one of equities) if (!newest.has(timeOf(one.slot))) newest.set(timeOf(one.slot), one);
    return newest;
  });
  for (const [time, one] of first) {
    const same = others.flatMap((newest) => newest.get(time) ?? []);
    if (same.length === others.length) return [one, ...same];
  }
  return null;
}
