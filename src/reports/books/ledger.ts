/** Every change of a balance, in the order of time. */
import { pause } from "../../core/async/cooperate.ts";
import { spanOf } from "../../queries/periods.ts";
import type { Report } from "../report.ts";
import { bookEntries } from "./entries.ts";
import { entryCells, entryColumns } from "./entry.ts";

export const ledger: Report = {
  name: "ledger",
  summary: "every change of a balance, once, from all records",
  columns: entryColumns,
  usesLedger: true,
  ofRecords: true,
  *rows(source, span) {
    const whole = spanOf(span);
    if (!whole) return;
    for (const entry of bookEntries(source, whole)) {
      yield entryCells(entry);
      yield pause;
    }
  },
};
