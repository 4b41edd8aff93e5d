/** The withdrawals of the account. Sources: https://www.bitget.com/api-doc/spot/account/Get-Withdraw-Record, https://www.bitget.com/api-doc/uta/account */
import * as column from "../../core/columns.ts";
import { incrementalDataset } from "../incremental.ts";
import { columns as common, facts, walletRecords } from "./wallet-records.ts";

const columns = {
  ...common,
  /** `on_chain`, or `internal_transfer` to another user of the exchange. */
  destination: column.text(),
};

export const withdrawals = incrementalDataset({
  name: "withdrawals",
  summary: "Withdrawals, each in its newest state",
  ...facts,
  columns,
  sources: walletRecords("withdrawals", "destination", columns),
});
