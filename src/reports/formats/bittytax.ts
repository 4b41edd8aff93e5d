/**
 * The transaction records of BittyTax. Futures are totalled by contract, which is taken from the note.
 *
 * Source: https://github.com/BittyTax/BittyTax/blob/master/README.md, "Transaction Records"
 */
import type { BookEvent } from "./event.ts";
import { type Format, noteOf, type Words, wordIn } from "./format.ts";

const types: Words = {
  trade: ["Trade", "Trade"],
  result: ["Margin-Gain", "Margin-Loss"],
  "futures fee": ["Margin-Fee-Rebate", "Margin-Fee"],
  funding: ["Margin-Fee-Rebate", "Margin-Fee"],
  fee: ["Fee-Rebate", "Spend"],
  interest: ["Interest", "Loan-Interest"],
  borrow: ["Loan", null],
  repay: [null, "Loan-Repayment"],
  reward: ["Income", "Spend"],
};

const typeOf = (event: BookEvent): string | null =>
  event.kind === "reward" && event.received && /airdrop/i.test(event.type) ? "Airdrop" : wordIn(types, event);

export const bittytax: Format = {
  name: "bittytax",
  header: [
    ...["Type", "Buy Quantity", "Buy Asset", "Buy Value in GBP", "Sell Quantity", "Sell Asset", "Sell Value in GBP"],
    ...["Fee Quantity", "Fee Asset", "Fee Value in GBP", "Wallet", "Timestamp", "Note"],
  ],
  hasAccounts: true,
  wordOf: typeOf,
  cells(event) {
    const { at, account, sent, received, fee, kind, symbol } = event;
    const amounts = [received, sent, fee].flatMap((money) => [money?.amount ?? null, money?.coin ?? null, null]);
    const isFutures = kind === "result" || kind === "futures fee" || kind === "funding";
    return [
      typeOf(event) ?? (received ? "Deposit" : "Withdrawal"),
      ...amounts,
      `Bitget ${account}`,
      `${new Date(at).toISOString().slice(0, -1)} UTC`,
      isFutures && symbol !== null ? symbol : noteOf(event),
    ];
  },
};
