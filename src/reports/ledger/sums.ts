/** Sums of entries of the exchange's ledger by period, account, wallet and coin. */
import { pause } from "../../core/async/cooperate.ts";
import { add, isZero } from "../../core/decimal.ts";
import type { Cell, DecimalString } from "../../core/domain.ts";
import { createEntries, feeOf, ledgerCause } from "../../queries/ledger.ts";
import { periodsOf, spanOf } from "../../queries/periods.ts";
import type { LedgerEntry } from "../../store/history.ts";
import type { Report } from "../report.ts";

export const funding = sumReport("funding", "funding received and paid, from bills", ({ kind, amount }) =>
  kind === "funding" ? amount : "0",
);

export const fees = sumReport("fees", "fees paid, from bills", (entry) => {
  const fee = feeOf(entry);
  // The entry is a fee as a whole, such as one that is paid in another coin than the trade.
  if (entry.kind === "fee") return entry.change ?? entry.amount;
  return entry.kind === "margin" ? "0" : fee;
});

interface Sum {
  coin: string;
  /** Null if a part is unknown. */
  amount: DecimalString | null;
  entries: number;
}

/** Returns a report of the sums of a part of each entry, which is "0" where the entry has none. Null is unknown. */
function sumReport(name: string, summary: string, partOf: (entry: LedgerEntry) => DecimalString | null): Report {
  return {
    name,
    summary,
    columns: ["day", "account", "wallet", "coin", name, "entries", "recorded", "ledger"],
    usesLedger: true,
    ofRecords: true,
    *rows({ history, account, now }, span) {
      const whole = spanOf(span);
      if (!whole) return;
      const ledgers = history.ledgers(account);
      const entriesTo = createEntries(history.entries(account, whole));
      for (const period of periodsOf(span)) {
        const sums = new Map<string, Map<string, Sum>>();
        for (const entry of entriesTo(period.to)) {
          addTo(sums, entry, partOf(entry));
          yield pause;
        }
        for (const ledger of ledgers) {
          const isGoingOn = period.to > now;
          const cause = ledgerCause(ledger, isGoingOn ? { from: period.from, to: ledger.through } : period);
          const word = cause ?? (isGoingOn ? "going on" : "complete");
          const row = (cells: Cell[]): Cell[] => [period.name, ledger.account, ledger.wallet, ...cells, word];
          const found = [...(sums.get(`${ledger.account} ${ledger.wallet}`)?.values() ?? [])];
          for (const { coin, amount, entries } of found.sort((one, other) => (one.coin < other.coin ? -1 : 1)))
            yield row([coin, cause === null ? amount : null, BigInt(entries), amount]);
          if (found.length === 0 && cause !== null) yield row([null, null, 0n, null]);
        }
      }
    },
  };
}

function addTo(sums: Map<string, Map<string, Sum>>, entry: LedgerEntry, part: DecimalString | null): void {
  if (part !== null && isZero(part)) return;
  const wallet = `${entry.account} ${entry.wallet}`;
  const coins = sums.get(wallet) ?? new Map<string, Sum>();
  const { coin } = entry;
  const { amount, entries } = coins.get(coin) ?? { amount: "0", entries: 0 };
  coins.set(coin, { coin, amount: amount === null || part === null ? null : add(amount, part), entries: entries + 1 });
  sums.set(wallet, coins);
}
