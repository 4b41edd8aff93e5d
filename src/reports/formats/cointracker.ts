/**
 * The format of CoinTracker. It has no column for a note; tags are only for what is received or sent, not for trades and transfers.
 *
 * Sources: https://support.cointracker.io/hc/en-us/articles/4413071299729-Convert-your-transaction-history-to-CoinTracker-CSV,
 * https://support.cointracker.io/hc/en-us/articles/4413049710225-Transaction-category-definitions
 */
import type { BookEvent } from "./event.ts";
import { type Format, secondText, type Words, wordIn } from "./format.ts";

const tags: Words = {
  result: ["margin gain", "margin loss"],
  "futures fee": ["margin rebate", "margin fee"],
  funding: ["margin rebate", "margin fee"],
  interest: [null, "margin fee"],
};

const tagOf = (event: BookEvent): string | null =>
  event.kind === "reward" && event.received && /airdrop/i.test(event.type) ? "airdrop" : wordIn(tags, event);

export const cointracker: Format = {
  name: "cointracker",
  header: [
    ...["Date", "Received Quantity", "Received Currency", "Sent Quantity", "Sent Currency"],
    ...["Fee Amount", "Fee Currency", "Tag"],
  ],
  hasAccounts: false,
  wordOf: tagOf,
  cells(event) {
    const { at, sent, received, fee } = event;
    const amounts = [received, sent, fee].flatMap((money) => [money?.amount ?? null, money?.coin ?? null]);
    return [dateText(at), ...amounts, tagOf(event)];
  },
};

/** Returns `10/30/2026 10:15:00`, in UTC. */
function dateText(at: number): string {
  const [date = "", time = ""] = secondText(at).split(" ");
  const [year, month, day] = date.split("-");
  return `${month}/${day}/${year} ${time}`;
}
