/** The reconciliation of the exchange's ledger in a history that is recorded into PostgreSQL. */
import type { Verdict } from "../../../reconciliation/verdict.ts";
import type { LedgerBreak, LedgerRef, WalletProof } from "../../history.ts";
import { type NewestRow, newestSql, type ProofRow, proofsOf, proofsSql } from "../../read/ledger/verdicts.ts";
import type { StoreLedger } from "../../store.ts";
import type { Connection } from "../connection.ts";
import { ReconcileQueue, type ReconcileQueueOptions } from "./reconcile-queue.ts";

export class RecordedLedger implements StoreLedger {
  readonly #connection: Connection;
  readonly #queue: ReconcileQueue;

  /** `connection` is for reading verdicts. */
  constructor(connection: Connection, options: ReconcileQueueOptions) {
    this.#connection = connection;
    this.#queue = new ReconcileQueue(options);
  }

  async reconcile(account: string, now: number): Promise<void> {
    await this.#queue.reconcile({ account, now });
  }

  breaks(account: string): Promise<LedgerBreak[]> {
    return this.#connection.query<LedgerBreak>(
      `select account, wallet, coin, from_at_ms as "from", to_at_ms as "to", residual from reconciliation
       where account = $1 and verdict = 'break' order by wallet, coin, from_at_ms`,
      [account],
    );
  }

  async verdictAt({ account, wallet, coin, from }: LedgerRef): Promise<Verdict | null> {
    const [found] = await this.#connection.query<{ verdict: Verdict }>(
      `select r.verdict from account a join reconciled r on r.account_id = a.id
       where a.name = $1 and r.wallet = $2 and r.coin = $3 and r.from_at <= $4 and r.to_at > $4 order by r.from_at desc limit 1`,
      [account, wallet, coin, from],
    );
    return found?.verdict ?? null;
  }

  async proofs(): Promise<WalletProof[]> {
    const proofs = await this.#connection.query<ProofRow>(proofsSql);
    return proofs.length === 0 ? [] : proofsOf(proofs, await this.#connection.query<NewestRow>(newestSql));
  }

  /** Resolves once what is waiting has been reconciled. */
  close(): Promise<void> {
    return this.#queue.close();
  }
}
