/** Reads what an account had at the close of a period: its equity, and what was held of each coin. */
import type { Steps } from "../../core/async/cooperate.ts";
import { periodAt } from "../../core/cron.ts";
import { isZero, subtract, sumOf } from "../../core/decimal.ts";
import type { DatasetName, DecimalString } from "../../core/domain.ts";
import { minuteMs } from "../../core/time.ts";
import { equity } from "../../datasets/snapshots/equity.ts";
import { type Close, createCloses } from "../../queries/close.ts";
import type { Period } from "../../queries/periods.ts";
import type { Prices } from "../../queries/prices.ts";
import { type Source, scheduleAt, schedulesOf } from "../../queries/source.ts";
import { type Balance, createWallets, type Wallet } from "../../queries/wallets.ts";
import type { Price } from "../../returns/attribution.ts";
import type { SchedulePeriod, WalletLedger } from "../../store/history.ts";

/** An account at the close of a period. */
export interface AccountClose {
  equity: Close;
  /** Up to when entries count: the time of the equity, or if it is unknown, of the close itself. Epoch ms. */
  at: number;
  /** The wallets with money. */
  wallets: readonly Wallet[];
  /** Returns the price of a coin at the time of the equity. */
  priceOf(coin: string): Price;
}

/** Returns a function that reads the close of an account at the end of a period; null before its first equity. */
export function createAccountCloses(
  { history, now }: Source,
  { name: account, ledgers, prices }: { name: string; ledgers: readonly WalletLedger[]; prices: Prices },
): (period: Period) => Steps<AccountClose | null> {
  const source = { history, account, now };
  const [equityAt, walletsAt] = [createCloses(source, equity), createWallets(source)];
  const schedules = schedulesOf(history, account, equity.name);
  const current = ledgers.filter(({ to }) => to > now).map(({ through }) => through);

  return function* (period) {
    // A period in progress ends where its ledger does.
    const to = period.to > now ? Math.min(period.to, ...current.map((through) => through + 1)) : period.to;
    const shortened = { ...period, to: to > period.from ? to : period.to };
    const [close] = yield* equityAt(shortened);
    if (!close) return null;
    const wallets = yield* walletsAt(close.takenAt === null ? shortened : atTime(shortened, close.takenAt, schedules));
    const known = new Map<string, Price>();
    return {
      equity: close,
      at: close.takenAt ?? Math.min(shortened.to - 1, now),
      wallets: wallets.filter(({ isMoney }) => isMoney),
      priceOf(coin) {
        if (!known.has(coin) && close.takenAt !== null) known.set(coin, prices.at(coin, close.takenAt));
        return known.get(coin);
      },
    };
  };
}

/** How much later than the equity the wallets may be read in the same slot. Milliseconds. */
const sameSlotMs = minuteMs;

/** Returns the period shortened to the slot of an equity, so that the wallets are those that it consists of. */
function atTime(period: Period, takenAt: number, schedules: readonly SchedulePeriod[]): Period {
  const pattern = scheduleAt(schedules, takenAt)?.pattern;
  const halfway = pattern ? periodAt(pattern, pattern.latest(takenAt)) / 2 : sameSlotMs;
  return { ...period, to: Math.min(period.to, takenAt + Math.min(sameSlotMs, halfway) + 1) };
}

/** What is held of a coin. */
export interface Held {
  balance: DecimalString | null;
  unrealized: DecimalString | null;
}

/** Returns what is held of each coin in the wallets with a ledger; a text if a wallet is unknown. */
export function heldIn(wallets: readonly Wallet[], isUnified: boolean): ReadonlyMap<string, Held> | string {
  // Only a unified account has a ledger of its funding wallet.
  const counted = wallets.filter(({ wallet }) => wallet !== "funding" || isUnified);
  const needed: DatasetName[] = wallets.some(({ wallet }) => wallet === "unified")
    ? []
    : ["spot-assets", "mix-accounts"];
  if (isUnified) needed.push("funding-assets");
  const unread = needed.find((name) => !wallets.some(({ dataset }) => dataset === name));
  const unknown = counted.find(({ known }) => !known);
  if (unknown || unread) return unknown ? `the balances of the ${unknown.wallet} wallet` : `the balances in ${unread}`;
  const held = new Map<string, Held>();
  for (const { coin, total, unrealized } of counted.flatMap(({ balances }) => balances).filter(isHeld)) {
    const before = held.get(coin.toUpperCase()) ?? { balance: "0", unrealized: "0" };
    const balance = total && unrealized && subtract(total, unrealized);
    held.set(coin.toUpperCase(), {
      balance: sumOf([before.balance, balance]),
      unrealized: sumOf([before.unrealized, unrealized]),
    });
  }
  return held;
}

/** Returns false for the row of a coin that the wallet does not hold any more, which has no equity. */
const isHeld = ({ total, available, frozen, locked }: Balance): boolean =>
  total !== null || [available, frozen, locked].some((amount) => !isZero(amount ?? "0"));

export const isUnified = ({ wallets }: AccountClose): boolean => wallets.some(({ wallet }) => wallet === "unified");
