/**
 * Reconciles the ledger of an account of a history that is recorded into PostgreSQL: in the mirror, which has what the computation reads.
 * The result is stored in PostgreSQL, where each mirror gets it from; the first process that stores one of the same records wins.
 */
import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import type { AnyDataset } from "../../../datasets/incremental.ts";
import { type Reconciled, type ReconcileOptions, Reconciler } from "../../ledger/reconciler.ts";
import { openWriter, type Sqlite } from "../../sqlite/database.ts";
import type { Postgres } from "../connection.ts";
import { tableOf } from "../copy/pass.ts";
import { RowWriter } from "../copy/row-writer.ts";
import { lockAccount } from "../recorder/ledger.ts";
import { type CopiedTable, copiedTables } from "../tables.ts";
import { type Chains, type ChangedChain, chainQuery, chainsOf, changedChains } from "./changed-chains.ts";
import { forgetChains, shipChains } from "./ship-ledger.ts";

/** Rolls a transaction back: another process stored a result that the mirror does not have yet. */
class OutdatedError extends Error {}

/** What to reconcile. */
export type AccountOptions = ReconcileOptions & { account: string };

/** The mirror of a history, opened for writing; the caller holds its lock. */
export class ReconciledMirror {
  readonly #postgres: Postgres;
  readonly #sqlite: Sqlite;
  readonly #tables: ReadonlyMap<string, CopiedTable>;

  constructor(postgres: Postgres, path: string, datasets: readonly AnyDataset[]) {
    this.#postgres = postgres;
    this.#sqlite = openWriter(path);
    this.#tables = new Map(copiedTables(datasets).map((table) => [table.name, table]));
  }

  /**
   * Reconciles the ledger of an account and stores the result in both databases. Returns null where nothing was stored because another
   * process has stored its result since the mirror was copied: it is to be copied again before.
   * @throws StorageError where PostgreSQL is away
   */
  async reconcile(options: AccountOptions): Promise<Reconciled | null> {
    const sqlite = this.#sqlite;
    sqlite.exec("begin immediate");
    try {
      const before = this.#chains(options.account);
      const write = async <Result>(work: () => Result): Promise<Result> => {
        await yieldToEventLoop();
        return work();
      };
      const done = await new Reconciler(sqlite, write).reconcile(options);
      const changed = changedChains(this.#chains(options.account), before);
      if (changed.length > 0) await this.#store(options.account, before, changed);
      sqlite.exec("commit");
      return done;
    } catch (error) {
      if (error instanceof OutdatedError) return null;
      throw error;
    } finally {
      if (sqlite.inTransaction) sqlite.exec("rollback");
    }
  }

  close(): void {
    this.#sqlite.close();
  }

  #chains(account: string): Chains {
    const ofAccount = `${chainQuery} where account_id = (select id from account where name = ?)`;
    return chainsOf(this.#sqlite.prepare<[string], unknown[]>(ofAccount).raw().all(account));
  }

  /** Stores the changed chains of an account in PostgreSQL, in one transaction. @throws OutdatedError */
  #store(account: string, before: Chains, changed: readonly ChangedChain[]): Promise<void> {
    return this.#postgres.transaction(async (connection) => {
      const { id } = await lockAccount(connection, account);
      const stored = chainsOf(await connection.cells(`${chainQuery} where account_id = $1`, [id]));
      if (!isSame(stored, before)) throw new OutdatedError();
      const odd = await connection.cells("select distinct table_name from odd_digits");
      const writer = new RowWriter(this.#sqlite, connection, new Set(odd.map(String)));
      await forgetChains(connection, changed);
      await connection.run("delete from ledger_finding where account_id = $1", [id]);
      const tables = { tables: this.#tables };
      await writer.copy(tableOf(tables, "ledger_finding"), "ledger_finding r where r.account_id = ?", [id]);
      await shipChains({ ...tables, writer }, changed);
      await writer.finish({ name: "always", text: "select 1", values: [] }, connection);
    });
  }
}

/** Returns whether all chains have the same revisions. */
const isSame = (one: Chains, other: Chains): boolean =>
  one.size === other.size && [...one].every(([key, [, , , revision]]) => other.get(key)?.[3] === revision);
