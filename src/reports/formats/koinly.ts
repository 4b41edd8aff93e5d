/**
 * The universal format of Koinly. Times are in UTC, and a loss of futures is sent with the same tag with which a gain is received.
 *
 * Sources: https://support.koinly.io/en/articles/9489976-how-to-create-a-custom-csv-file-with-your-data,
 * https://support.koinly.io/en/articles/9490023-what-are-tags,
 * https://support.koinly.io/en/articles/9490027-futures-and-perpetuals-pnl-transactions
 */
import { type Format, noteOf, secondText, type Words, wordIn } from "./format.ts";

const tags: Words = {
  result: ["realized gain", "realized gain"],
  "futures fee": ["fee refund", "margin fee"],
  funding: ["realized gain", "margin fee"],
  fee: ["fee refund", "cost"],
  interest: ["loan interest", "margin fee"],
  borrow: ["loan", null],
  repay: [null, "loan repayment"],
  reward: ["reward", "cost"],
};

export const koinly: Format = {
  name: "koinly",
  header: [
    ...["Date", "Sent Amount", "Sent Currency", "Received Amount", "Received Currency", "Fee Amount", "Fee Currency"],
    ...["Net Worth Amount", "Net Worth Currency", "Label", "Description", "TxHash"],
  ],
  hasAccounts: false,
  wordOf: (event) => wordIn(tags, event),
  cells(event) {
    const { at, sent, received, fee } = event;
    const amounts = [sent, received, fee].flatMap((money) => [money?.amount ?? null, money?.coin ?? null]);
    return [`${secondText(at)} UTC`, ...amounts, null, null, wordIn(tags, event), noteOf(event), null];
  },
};
