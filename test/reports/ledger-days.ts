/** Compares the ledger of a life with the balances that were collected of it, coin by coin and day by day. */
import { runToEnd } from "../../src/core/async/cooperate.ts";
import { add, subtract, sum } from "../../src/core/decimal.ts";
import type { DecimalString } from "../../src/core/domain.ts";
import { dayMs } from "../../src/core/time.ts";
import { ledgerCause } from "../../src/queries/ledger.ts";
import { createWallets } from "../../src/queries/wallets.ts";
import { fundingPaidAt } from "../../src/reconciliation/funding.ts";
import { withHistory } from "../../src/store/read/open-history.ts";
import { days, reportRows } from "./kit.ts";

/** What was held of a coin in a wallet at a snapshot. */
interface Held {
  at: number;
  amount: DecimalString;
}

/** A coin-day, `2026-01-05 main spot BTC`, with what its entries do not explain. */
export interface CoinDay {
  name: string;
  unexplained: DecimalString;
}

const iso = (at: number) => new Date(at).toISOString();

/** Returns what is left of each coin-day after opening, entries and closing. */
export function coinDays(path: string, from: number, count: number): CoinDay[] {
  const entries = reportRows(path, "ledger", days(iso(from - dayMs), iso(from + (count + 1) * dayMs)));
  const changes = new Map<string, { at: number; change: DecimalString }[]>();
  for (const { account, wallet, coin, at, kind, change } of entries) {
    const key = `${account} ${wallet} ${String(coin).toUpperCase()}`;
    const time = Date.parse(String(at));
    const all = changes.get(key) ?? [];
    all.push({ at: kind === "funding" ? fundingPaidAt(time) : time, change: String(change) });
    changes.set(key, all);
  }
  const ledgers = withHistory(path, (history) => history.ledgers(null));
  const isRead = (key: string, from: number, to: number) =>
    ledgers.some(
      (one) => `${one.account} ${one.wallet}` === key && one.from <= from && ledgerCause(one, { from, to }) === null,
    );
  const found: CoinDay[] = [];
  let before = heldAt(path, from, entries);
  for (let day = 1; day <= count; day++) {
    const after = heldAt(path, from + day * dayMs, entries);
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const wallet = key.split(" ").slice(0, 2).join(" ");
      const [opening, closing] = [before.get(key) ?? before.get(wallet), after.get(key) ?? after.get(wallet)];
      // A wallet that begins or ends with the upgrade has one balance only, and one without its whole ledger is unknown.
      if (!opening || !closing || !isRead(wallet, opening.at + 1, closing.at + 1)) continue;
      const own = (changes.get(key) ?? []).filter(({ at }) => at > opening.at && at <= closing.at);
      const explained = sum([opening.amount, ...own.map(({ change }) => change)]);
      found.push({
        name: `${iso(from + (day - 1) * dayMs).slice(0, 10)} ${key}`,
        unexplained: subtract(closing.amount, explained),
      });
    }
    before = after;
  }
  return found;
}

/** Returns the balances of the last snapshots up to an instant, by `account wallet coin`, and zero by `account wallet`. */
function heldAt(path: string, instant: number, entries: ReturnType<typeof reportRows>): Map<string, Held> {
  const listed = new Set(entries.map(({ account, wallet }) => `${account} ${wallet}`));
  return withHistory(path, (history) => {
    const walletsAt = createWallets({ history, account: null, now: Number.MAX_SAFE_INTEGER });
    const held = new Map<string, Held>();
    const wallets = runToEnd(walletsAt({ name: "", from: instant - dayMs, to: instant + dayMs / 2 }));
    for (const { account, wallet, takenAt, balances } of wallets) {
      if (takenAt === null || !listed.has(`${account} ${wallet}`)) continue;
      held.set(`${account} ${wallet}`, { at: takenAt, amount: "0" });
      for (const { coin, total, unrealized } of balances) {
        if (total === null || unrealized === null) continue;
        const key = `${account} ${wallet} ${coin.toUpperCase()}`;
        const amount = subtract(total, unrealized);
        held.set(key, { at: takenAt, amount: add(held.get(key)?.amount ?? "0", amount) });
      }
    }
    return held;
  });
}
