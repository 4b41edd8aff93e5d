/** Reads the accounts of a history. */
import type { ApiVersion, DecimalString } from "../../core/domain.ts";
import type { AccountHistory } from "../history.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { prepareOnce } from "../sqlite/prepare-once.ts";

/** The number of slots read per account. Accounts are collected one after the other; one of their last three slots is common to all. */
const slotsBack = 3;

/** Returns the account queries on a connection. */
export function accountHistory(sqlite: Sqlite): AccountHistory {
  const names = (query: string) => sqlite.prepare<unknown[], string>(query).pluck();
  return {
    accounts: () =>
      names(
        `select a.name from account a
         where exists (select 1 from series e where e.account_id = a.id and e.dataset <> 'prices') order by a.id`,
      ).all(),
    accountsRemovedAt: (at) =>
      names(
        `select a.name from account a join series e on e.account_id = a.id join schedule c on c.series_id = e.id
         where e.dataset = 'equity' and c.since <= ? group by a.id having max(coalesce(c.until, ? + 1)) <= ?`,
      ).all(at, at, at),
    accountModes: (account) =>
      sqlite
        .prepare<[string], { api: ApiVersion; since: number }>(
          `select m.api, m.since from account_mode m join account a on a.id = m.account_id where a.name = ? order by m.id`,
        )
        .all(account),
    apiVersionAt: prepareOnce(() => prepareApiVersion(sqlite)),
    lastCompleteEquities: (account, at) =>
      sqlite
        .prepare<unknown[], { slot: number; value: DecimalString }>(
          `select r.slot, h.usdt_equity as value from (
             select n.id, n.run_id, n.taken_at from snapshot n where n.scope_id = (
               select p.id from scope p join series e on e.id = p.series_id join account a on a.id = e.account_id
               where a.name = ? and e.dataset = 'equity') and n.taken_at <= ? and n.error_code is null
             order by n.taken_at desc limit ${slotsBack}) n
           join run r on r.id = n.run_id join equity_history h on h.snapshot_id = n.id
           where h.complete = 1 and h.usdt_equity is not null order by n.taken_at desc`,
        )
        .all(account, at),
  };
}

function prepareApiVersion(sqlite: Sqlite): AccountHistory["apiVersionAt"] {
  const last = sqlite
    .prepare<[string, number], ApiVersion>(
      `select m.api from account_mode m join account a on a.id = m.account_id
       where a.name = ? and m.since <= ? order by m.id desc limit 1`,
    )
    .pluck();
  return (account, at) => last.get(account, at) ?? null;
}
