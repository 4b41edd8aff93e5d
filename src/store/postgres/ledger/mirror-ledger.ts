/** Copies the reconciliation of changed chains from PostgreSQL into its mirror. */
import type { Sqlite } from "../../files/connections.ts";
import type { Connection } from "../connection.ts";
import { type Tables, tableOf } from "../copy/pass.ts";
import type { RowCopier } from "../copy/rows.ts";
import { chainJoins, chainQuery, chainsOf, changedChains } from "./changed-chains.ts";
import { columnsOf, postgresChains, rowKeys, sqliteChains } from "./ship-ledger.ts";

interface LedgerPass extends Pick<Tables, "tables"> {
  source: Connection;
  sqlite: Sqlite;
  copier: RowCopier;
}

/** Makes the reconciliation in the mirror equal to that in PostgreSQL. The entries are there already. */
export async function mirrorLedger(pass: LedgerPass): Promise<void> {
  const { source, sqlite, copier } = pass;
  const copied = chainsOf(sqlite.prepare<[], unknown[]>(chainQuery).raw().all());
  const chains = changedChains(chainsOf(await source.cells(chainQuery)), copied);
  if (chains.length === 0) return;
  const accounts = [...new Set(chains.map(({ accountId }) => accountId))];
  sqlite
    .prepare("delete from ledger_finding where account_id in (select value from json_each(?))")
    .run(JSON.stringify(accounts));
  await copier.copy(tableOf(pass, "ledger_finding"), {
    from: "ledger_finding r where r.account_id = any($1::bigint[])",
    values: [accounts],
  });
  for (const [name, key] of Object.entries(rowKeys))
    sqlite
      .prepare(
        `delete from ${name} where (${key}) in (
           select ${key.replace(/\w+/g, "r.$&")} from ${sqliteChains} cross join ${chainJoins[name as keyof typeof rowKeys]})`,
      )
      .run(JSON.stringify(chains));
  for (const [name, join] of Object.entries(chainJoins))
    await copier.copy(tableOf(pass, name), { from: `${postgresChains} join ${join}`, values: columnsOf(chains) });
}
