/** Lists all reports. A new report is a file and a line here. */
import { balances } from "./balances.ts";
import { ledger } from "./books/ledger.ts";
import { changes } from "./changes.ts";
import { coverage } from "./coverage.ts";
import { episodes } from "./episodes.ts";
import { equity } from "./equity.ts";
import { pnl } from "./ledger/pnl.ts";
import { reconciliation } from "./ledger/reconciliation.ts";
import { bills, fills } from "./ledger/records.ts";
import { returns } from "./ledger/returns.ts";
import { fees, funding } from "./ledger/sums.ts";
import { positions } from "./positions.ts";
import type { Report } from "./report.ts";

export const reports: readonly Report[] = [
  balances,
  positions,
  episodes,
  equity,
  changes,
  coverage,
  ledger,
  bills,
  fills,
  funding,
  fees,
  pnl,
  returns,
  reconciliation,
];

/** Returns the report of that name; undefined if there is none. */
export const reportNamed = (name: string): Report | undefined => reports.find((one) => one.name === name);
