/** Reads the reconciliation of the exchange's ledger. */
import type { Cell } from "../../../core/domain.ts";
import type { HistoryRow, LedgerHistory, ReconciliationFilter } from "../../history.ts";
import type { Sqlite } from "../../sqlite/database.ts";
import { selectDetailedEntries, selectEntries, selectLedgers } from "./entries.ts";
import { rebuiltBalances } from "./rebuilt-balances.ts";
import { ledgerReads } from "./verdicts.ts";

/** Returns the queries of the reconciliation on a connection. */
export const ledgerHistory = (sqlite: Sqlite): LedgerHistory => ({
  reconciliation: (filter) => reconciliation(sqlite, filter),
  rebuiltBalances: (of) => rebuiltBalances(sqlite, of),
  ledgerProofs: ledgerReads(sqlite).proofs,
  ledgerEntries: (chain, at, skip = 0) =>
    sqlite
      .prepare<unknown[], HistoryRow>(
        `select * from bills
         where account = @account and (wallet = @wallet or category = @wallet) and upper(coin) = upper(@coin) and at_ms <= @at
         order by coalesce(booked_at_ms, at_ms) desc, coalesce(position, 0) desc, length(bill_id) desc, bill_id desc, version desc
         limit -1 offset @skip`,
      )
      .safeIntegers()
      .iterate({ ...chain, at, skip }),
  ledgers: (account) => selectLedgers(sqlite, account),
  firstRecord: () => firstRecord(sqlite),
  entries: (account, span) => selectEntries(sqlite, account, span),
  detailedEntries: (account, span) => selectDetailedEntries(sqlite, account, span),
});

const recordTables = ["bills", "fills", "deposits", "withdrawals", "transfers"].map((name) => `${name}_record`);

const firstRecord = (sqlite: Sqlite): number | null =>
  sqlite
    .prepare<unknown[], number | null>(
      `select min(at) from (${recordTables.map((table) => `select min(at) as at from ${table}`).join(" union all ")})`,
    )
    .pluck()
    .get() ?? null;

function reconciliation(sqlite: Sqlite, { account, wallet, coin, from, to }: ReconciliationFilter) {
  const statement = sqlite
    .prepare<unknown[], Cell[]>(
      `select account, wallet, coin, from_at, to_at, opening, change, entries, closing, residual, verdict, cause
       from reconciliation
       where to_at_ms > @from and from_at_ms < @to and (@account is null or account = @account)
         and (@wallet is null or wallet = @wallet) and (@coin is null or upper(coin) = upper(@coin))
       order by account, wallet, coin, from_at_ms`,
    )
    .safeIntegers()
    .raw();
  const rows = statement.all({ from, to, account: account ?? null, wallet: wallet ?? null, coin: coin ?? null });
  return { columns: statement.columns().map(({ name }) => name), rows };
}
