import { spanOf } from "../../queries/periods.ts";
import type { Report } from "../report.ts";

export const reconciliation: Report = {
  name: "reconciliation",
  summary: "what the exchange's ledger proves, per wallet and coin",
  columns: [
    ...["account", "wallet", "coin", "from_at", "to_at", "opening", "change", "entries", "closing", "residual"],
    ...["verdict", "cause"],
  ],
  usesLedger: true,
  ofRecords: true,
  *rows({ history, account }, span) {
    const whole = spanOf(span);
    const anything = { account: account ?? undefined, wallet: undefined, coin: undefined };
    if (whole) yield* history.reconciliation({ ...anything, ...whole }).rows;
  },
};
