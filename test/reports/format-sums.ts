/** Compares an import file with the ledger, coin by coin. */
import { add, subtract } from "../../src/core/decimal.ts";
import type { DecimalString } from "../../src/core/domain.ts";
import { bookEntries } from "../../src/reports/books/entries.ts";
import { isLeftOut } from "../../src/reports/formats/event.ts";
import { eventsOf } from "../../src/reports/formats/events.ts";
import type { Format } from "../../src/reports/formats/format.ts";
import type { Span } from "../../src/store/history.ts";
import { withHistory } from "../../src/store/read/open-history.ts";

/** Returns the coins whose sum in the lines of a file is not that in the ledger without what is left out. */
export const unbalanced = (path: string, format: Format, span: Span, account = "main"): string[] =>
  withHistory(path, (history) => {
    const source = { history, account, now: Number.MAX_SAFE_INTEGER };
    const [inLedger, inFile] = [new Map<string, DecimalString>(), new Map<string, DecimalString>()];
    const count = (sums: Map<string, DecimalString>, coin: string, amount: DecimalString) =>
      sums.set(coin, add(sums.get(coin) ?? "0", amount));
    for (const { coin, change } of bookEntries(source, span)) count(inLedger, coin, change ?? "0");
    const columns = [
      /^(Received (Amount|Quantity)|Buy Quantity)$/,
      /^(Sent (Amount|Quantity)|Sell Quantity)$/,
      /^Fee (Amount|Quantity)$/,
    ];
    for (const one of eventsOf(source, span)) {
      if (isLeftOut(one))
        for (const { coin, change } of one.entries) count(inLedger, coin, subtract("0", change ?? "0"));
      else {
        const cells = format.cells(one);
        for (const [place, column] of columns.entries()) {
          const at = format.header.findIndex((name) => column.test(name));
          const [amount, coin] = [cells[at], cells[at + 1]];
          if (amount === null) continue;
          count(inFile, String(coin), place === 0 ? String(amount) : subtract("0", String(amount)));
        }
      }
    }
    const coins = new Set([...inLedger.keys(), ...inFile.keys()]);
    return [...coins].flatMap((coin) => {
      const [ledger, file] = [add(inLedger.get(coin) ?? "0", "0"), inFile.get(coin) ?? "0"];
      return ledger === file ? [] : [`${coin}: ${ledger} in the ledger, ${file} in the file`];
    });
  });
