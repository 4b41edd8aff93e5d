/** What the exchange's ledger says about one coin in one wallet of one account, and what each entry changed the balance by. */
import { absolute, add, isZero, normalize, subtract } from "../core/decimal.ts";
import type { DecimalString } from "../core/domain.ts";

/** One entry of the exchange's ledger. */
export interface Entry {
  /** The list of the exchange that contains it. */
  category: string;
  /** The exchange's id, unique within its category. */
  id: string;
  /** The exchange's time of the event. Epoch ms. */
  at: number;
  /** The exchange's own text. */
  type: string;
  /** True for types that move money between the margin of a position and the rest of the same wallet. */
  movesMargin: boolean;
  amount: DecimalString;
  /** Null where the list has no fees. */
  fee: DecimalString | null;
  /** A fee that the list leaves out and another record of the exchange states, negative if paid; null if there is none. */
  otherFee: DecimalString | null;
  /** The balance after the entry; null where the exchange does not say it. */
  balance: DecimalString | null;
}

type Amounts = Pick<Entry, "amount" | "fee" | "otherFee" | "movesMargin">;

/**
 * The conventions by which an entry can change its balance. The exchange documents none of them; which one holds for a type is found
 * from the balances.
 */
export const conventions = {
  /** The fee is separate. */
  "amount + fee": ({ amount, fee }: Amounts) => (fee === null ? null : add(amount, fee)),
  /** The fee is contained in the amount, or there is none. */
  amount: ({ amount }: Amounts) => normalize(amount),
  /** The fee is separate, and its sign is not that of the change. */
  "amount - |fee|": ({ amount, fee }: Amounts) => (fee === null ? null : subtract(amount, absolute(fee))),
  /** The fee of a withdrawal is in the withdrawal's record only. */
  "amount + fee of the withdrawal": ({ amount, otherFee }: Amounts) =>
    otherFee === null ? null : add(amount, otherFee),
  /** Margin of a position that stays in the wallet. */
  none: ({ movesMargin }: Amounts) => (movesMargin ? "0" : null),
} as const satisfies Record<string, (entry: Amounts) => DecimalString | null>;

export type Convention = keyof typeof conventions;

const names = Object.keys(conventions) as Convention[];

/** Returns the first convention by which an entry changes the balance by `change`; null if none does. */
export const conventionFor = (entry: Entry, change: DecimalString): Convention | null =>
  names.find((name) => conventions[name](entry) === change) ?? null;

/** Returns the balances that an entry can have followed, without repetition. `balance` is that after it. */
export function balancesBefore(entry: Entry, balance: DecimalString): DecimalString[] {
  const changes = names.map((name) => conventions[name](entry)).filter((change) => change !== null);
  return [...new Set(changes)].map((change) => subtract(balance, change));
}

/** Returns true if the change of an entry shows its convention, because the conventions that are possible for it differ. */
export const isEvidence = ({ amount, fee, otherFee, movesMargin }: Entry): boolean =>
  (fee !== null && !isZero(fee)) || (otherFee !== null && !isZero(otherFee)) || (movesMargin && !isZero(amount));

/** Compares entries by time, then by id: the longer one or the one with the greater digits is the newer one. */
export const byTime = (one: Entry, other: Entry): number =>
  one.at - other.at || one.id.length - other.id.length || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
