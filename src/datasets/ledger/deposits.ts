/** The deposits of the account. Sources: https://www.bitget.com/api-doc/spot/account/Get-Deposit-Record, https://www.bitget.com/api-doc/uta/account */
import * as column from "../../core/columns.ts";
import { incrementalDataset } from "../incremental.ts";
import { columns as common, facts, walletRecords } from "./wallet-records.ts";

const columns = {
  ...common,
  /** `on_chain`, or `internal_transfer` from another user of the exchange. */
  origin: column.text(),
};

export const deposits = incrementalDataset({
  name: "deposits",
  summary: "Deposits, each in its newest state",
  ...facts,
  columns,
  sources: walletRecords("deposits", "origin", columns),
});
