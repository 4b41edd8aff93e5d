/** What the lists of both API versions show in the same way. */
import type { AccountView } from "../../account/statement.ts";
import type { ClosedPosition, Payment } from "../../ledger/listed.ts";
import { compareListed } from "../../list-faults.ts";
import { type Amount, digits, padded, truncate } from "../../market/amount.ts";
import { hashText } from "../../market/random.ts";
import type { Query } from "../endpoint.ts";
import { isOf, type ListRules, pageOf } from "./paging.ts";

/** Returns digits with at least eight decimal places. */
export const longDigits = (value: Amount): string => (truncate(value, 8) === value ? padded(value, 8) : digits(value));

/** Returns the totals of a closed position: fees and result cut to eight places, the result added up before that. */
export function resultOf({ position }: ClosedPosition) {
  const { opened, closed, profit, openFees, closeFees } = position.booked;
  const funding = position.funding ?? 0n;
  const cut = (value: Amount) => digits(truncate(value, 8));
  return {
    opened: digits(opened),
    closed: digits(closed),
    profit: cut(profit),
    funding: cut(funding),
    openFees: cut(openFees),
    closeFees: cut(closeFees),
    net: cut(profit + funding + openFees + closeFees),
  };
}

/** Returns a page of deposits or withdrawals, which are listed by their creation. */
export function paymentsOf(view: AccountView, type: Payment["type"], query: Query, rules: ListRules): Payment[] {
  const items = view.state.book.payments.toSorted(compareListed);
  const isWanted = (payment: Payment) => payment.type === type && isOf(query.coin, payment.coin);
  return pageOf(view, { items, isWanted, query, rules });
}

const chains: Record<string, string> = { USDT: "TRC20", BTC: "BTC", AVAX: "C-Chain" };

/** Returns the fields of a deposit or withdrawal at an instant; `chainId`, `createdTime` and `updatedTime` have other names in v2. */
export function paymentFields({ type, id, coin, size, fee, at, settledAt, outcome }: Payment, instant: number) {
  const address = `T${hashText(`${type} ${coin}`).toString(36)}`;
  const isSettled = settledAt <= instant;
  return {
    orderId: id,
    chainId: hashText(id).toString(16).padStart(8, "0").repeat(8),
    coin,
    type,
    size: digits(size),
    status: isSettled ? outcome : "pending",
    toAddress: address,
    dest: "on_chain",
    chain: chains[coin] ?? coin,
    createdTime: String(at),
    updatedTime: String(isSettled ? settledAt : at),
    fromAddress: null,
    clientOid: null,
    ...(type === "withdraw" ? { fee: digits(fee), confirm: isSettled ? "5" : "0", tag: null } : {}),
  };
}
