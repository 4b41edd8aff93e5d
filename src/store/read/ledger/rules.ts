/** Says by which rules the ledger of an account was reconciled. The program that changes them computes again what others stored. */
import { rulesVersion } from "../../../reconciliation/verdict.ts";
import type { Sqlite } from "../../sqlite/database.ts";

/** The name in place of a wallet in the row that is about all of an account; described at `ledgerChain`. */
export const allOfAccount = "";

/** The condition that all of an account `a` was reconciled by the rules of this program, in either database. */
export const isCurrentSql = `exists (
  select 1 from ledger_chain c where c.account_id = a.id and c.wallet = '${allOfAccount}' and c.settled_at = ${rulesVersion})`;

/** Returns the accounts with a reconciliation that another version of the program made by other rules, or did not complete. */
export const outdatedAccounts = (sqlite: Sqlite): string[] =>
  sqlite
    .prepare<[], string>(
      `select a.name from account a where not ${isCurrentSql} and (
         exists (select 1 from ledger_chain c where c.account_id = a.id) or exists (
           select 1 from position_result r join scope p on p.id = r.scope_id join series e on e.id = p.series_id
           where e.account_id = a.id and r.is_final = 1))
       order by a.id`,
    )
    .pluck()
    .all();
