/** Copies the reconciliation of changed chains from an SQLite file to PostgreSQL. */
import { type Tables, tableOf } from "../copy/pass.ts";
import type { RowWriter, Target } from "../copy/row-writer.ts";
import { type ChangedChain, chainJoins } from "./changed-chains.ts";

/** Deletes what PostgreSQL has of the chains. Its entries must be those to which the rows belong. */
export async function forgetChains(target: Target, chains: readonly ChangedChain[]): Promise<void> {
  if (chains.length === 0) return;
  for (const [name, key] of Object.entries(rowKeys))
    await target.run(
      `delete from ${name} where (${key}) in (
         select ${key.replace(/\w+/g, "r.$&")} from ${postgresChains} join ${chainJoins[name as keyof typeof rowKeys]})`,
      columnsOf(chains),
    );
}

/** Copies what the file has of the chains, once the writer has finished. */
export async function shipChains(
  { writer, ...pass }: Pick<Tables, "tables"> & { writer: RowWriter },
  chains: readonly ChangedChain[],
): Promise<void> {
  if (chains.length === 0) return;
  for (const [name, join] of Object.entries(chainJoins))
    await writer.copy(tableOf(pass, name), `${sqliteChains} cross join ${join.replaceAll(" join ", " cross join ")}`, [
      JSON.stringify(chains),
    ]);
}

/** The tables in which rows disappear, with the columns of their keys. */
export const rowKeys = {
  ledger_chain: "account_id, wallet, coin",
  reconciled: "account_id, wallet, coin, from_at",
  snapshot_balance: "account_id, wallet, coin, at",
  bill_step: "scope_id, bill_id",
  position_result: "scope_id, position_id",
};

/** Changed chains as a table `c` of PostgreSQL; its parameters are those of `columnsOf`. */
export const postgresChains =
  "unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]) c(account_id, wallet, coin, stretches_from, balances_from, entries_after, results_from)";

/** The same of SQLite; its parameter is `JSON.stringify` of the chains. */
export const sqliteChains = `(select value ->> 'accountId' as account_id, value ->> 'wallet' as wallet, value ->> 'coin' as coin,
  value ->> 'stretchesFrom' as stretches_from, value ->> 'balancesFrom' as balances_from, value ->> 'entriesAfter' as entries_after, value ->> 'resultsFrom' as results_from
  from json_each(?)) c`;

/** Returns the columns of chains as arrays. */
export const columnsOf = (chains: readonly ChangedChain[]) => [
  chains.map(({ accountId }) => accountId),
  chains.map(({ wallet }) => wallet),
  chains.map(({ coin }) => coin),
  chains.map(({ stretchesFrom }) => stretchesFrom),
  chains.map(({ balancesFrom }) => balancesFrom),
  chains.map(({ entriesAfter }) => entriesAfter),
  chains.map(({ resultsFrom }) => resultsFrom),
];
