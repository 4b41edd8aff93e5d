/** Finds the money that came into an account and left it, in the exchange's ledger. */
import { pause, type Steps } from "../core/async/cooperate.ts";
import { add, isZero, multiply, subtract } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";
import { minuteMs } from "../core/time.ts";
import type { Transit } from "../returns/transits.ts";
import type { HistoryReader, LedgerEntry, Span, WalletLedger } from "../store/history.ts";
import { feeOf, ledgerCause } from "./ledger.ts";
import { Prices } from "./prices.ts";
import type { Source } from "./source.ts";

/** The kinds of entries that bring money in or take it out. A transfer is one from or to a wallet without a ledger, or another account. */
const flowKinds = ["deposit", "withdrawal", "transfer", "reward"] as const;
export type FlowKind = (typeof flowKinds)[number];

/** Money that came in (positive) or left (negative). */
export interface Flow {
  account: string;
  wallet: string;
  kind: FlowKind;
  /** Epoch ms. */
  at: number;
  coin: string;
  /** Without the fee; null is unknown. Unit: coin. */
  amount: DecimalString | null;
  /** Its value at its own time; null if the amount or the price is unknown. Unit: USDT. */
  usdt: DecimalString | null;
  /** False if the exchange has no price of the coin; then its equity does not contain the coin either. */
  isPriced: boolean;
}

/** The flows of an account in a span. */
export interface Flows {
  /** Those that are recorded, oldest first. */
  flows: readonly Flow[];
  /** The transfers between its wallets that are under way for a part of the span; without those of coins that have no price. */
  transits: readonly Transit[];
  /** Why some may be missing; null if none is. */
  cause: string | null;
}

/** Returns the flows of an account in a span. The span must not contain the future. */
export function* flowsOf({ history }: Source, account: string, span: Span): Steps<Flows> {
  const prices = new Prices(history);
  const flows: Flow[] = [];
  const transits: Transit[] = [];
  // The other entry of a transfer may be just outside the span.
  const wider = { from: span.from - transferSpreadMs, to: span.to + transferSpreadMs };
  for (const { entry, isInternal, earlier } of markInternal(counted(history.entries(account, wider)))) {
    if (earlier && earlier.at < Math.min(entry.at, span.to) && entry.at >= span.from) {
      const price = prices.at(earlier.coin, earlier.at);
      const usdt = entry.amount !== null && typeof price === "string" ? multiply(entry.amount, price) : null;
      if (price !== null) transits.push({ from: earlier.at, to: entry.at, usdt });
    }
    if (!isInternal && isFlow(entry) && entry.at >= span.from && entry.at < span.to) {
      const { wallet, kind, at, coin } = entry;
      const amount = amountOf(entry);
      const price = prices.at(coin, at);
      const usdt = amount !== null && typeof price === "string" ? multiply(amount, price) : null;
      flows.push({ account, wallet, kind, at, coin, amount, usdt, isPriced: price !== null });
    }
    yield pause;
  }
  return { flows, transits, cause: ledgersCause(history.ledgers(account), span) };
}

/**
 * Returns the ledgers of an account as far as its transfers are known: one that was read just after a transfer, whose other entry may be
 * in a ledger that was not read yet, counts as read up to before it. It may be a flow, or under way between two wallets.
 */
export function settledLedgers({ history, now }: { history: HistoryReader; now: number }, account: string) {
  const ledgers = history.ledgers(account);
  const isCurrent = (one: WalletLedger) => isCounted(one) && one.to > now;
  const through = Math.min(...ledgers.filter(isCurrent).map((one) => one.through));
  if (through === Number.POSITIVE_INFINITY) return ledgers;
  const last = { from: through - 2 * transferSpreadMs, to: through + transferSpreadMs };
  const isOpen = ({ kind, at }: LedgerEntry) => kind === "transfer" && at >= through - transferSpreadMs && at < through;
  const open = [...withoutInternal(history.entries(account, last))].find(isOpen);
  if (!open) return ledgers;
  return ledgers.map((one) =>
    isCurrent(one) && one.wallet === open.wallet ? { ...one, through: Math.min(one.through, open.at - 1) } : one,
  );
}

/** The margin wallets have ledgers, but their balances are not collected. */
export const isCounted = ({ wallet }: { wallet: string }): boolean => !wallet.startsWith("margin-");

/** Returns why entries of a span may be missing in a ledger of an account, with the wallet; null if none is. */
export function ledgersCause(ledgers: readonly WalletLedger[], span: Span): string | null {
  const counted = ledgers.filter(isCounted);
  if (counted.length === 0) return "bills were not collected";
  for (const ledger of counted) {
    const cause = ledgerCause(ledger, span);
    if (cause !== null) return `${ledger.wallet}: ${cause}`;
  }
  return null;
}

/** The two entries of a transfer between wallets have times of their own. Milliseconds that they may differ. */
export const transferSpreadMs = minuteMs;

/**
 * Yields the entries, which come in the order of time, without transfers between wallets of one account. A unified wallet also lists those
 * between its own parts, as two entries.
 */
export function* withoutInternal(entries: Iterable<LedgerEntry>): Generator<LedgerEntry, void> {
  for (const { entry, isInternal } of markInternal(counted(entries))) if (!isInternal) yield entry;
}

function* counted(entries: Iterable<LedgerEntry>): Generator<LedgerEntry, void> {
  for (const entry of entries) if (isCounted(entry)) yield entry;
}

/**
 * Yields the entries, which come in the order of time, and whether each is one side of a transfer between wallets of one account; with
 * the later side also the earlier one.
 */
export function* markInternal<Entry extends LedgerEntry>(
  entries: Iterable<Entry>,
): Generator<{ entry: Entry; isInternal: boolean; earlier: Entry | null }, void> {
  const recent: { entry: Entry; isInternal: boolean; earlier: Entry | null }[] = [];
  function* before(instant: number) {
    for (let first = recent[0]; first && first.entry.at < instant; first = recent[0]) {
      recent.shift();
      yield first;
    }
  }
  for (const entry of entries) {
    yield* before(entry.at - transferSpreadMs);
    const others = recent.filter((one) => !one.isInternal && areOneTransfer(one.entry, entry));
    const other = others.findLast((one) => one.entry.wallet !== entry.wallet) ?? others.at(-1);
    if (other) other.isInternal = true;
    recent.push({ entry, isInternal: other !== undefined, earlier: other?.entry ?? null });
  }
  yield* before(Number.POSITIVE_INFINITY);
}

/** Returns true if two entries can be those of one transfer. */
const areOneTransfer = (one: LedgerEntry, other: LedgerEntry): boolean =>
  one.kind === "transfer" &&
  other.kind === "transfer" &&
  one.account === other.account &&
  one.coin === other.coin &&
  (one.wallet !== other.wallet || one.wallet === "unified") &&
  one.amount !== null &&
  other.amount !== null &&
  isZero(add(one.amount, other.amount));

const isFlow = (entry: LedgerEntry): entry is LedgerEntry & { kind: FlowKind } =>
  (flowKinds as readonly string[]).includes(entry.kind);

/** Returns what an entry changed the balance by, without its fee; null if that is unknown. */
export function amountOf(entry: LedgerEntry): DecimalString | null {
  const fee = feeOf(entry);
  return entry.change === null || fee === null ? null : subtract(entry.change, fee);
}
