/** Reads and writes the tables of the reconciliation. The caller opens the transaction of each write. */
import type { DecimalString, TimeRange } from "../../core/domain.ts";
import type { Finding } from "../../reconciliation/chain.ts";
import type { Balance } from "../../reconciliation/snapshots.ts";
import { type Interval, rulesVersion, type Verdict } from "../../reconciliation/verdict.ts";
import { allOfAccount, isCurrentSql } from "../read/ledger/rules.ts";
import { digitsSql, packDigits } from "../schema/encoding.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { saysMore } from "./derived-rows.ts";

/** One coin in one wallet of one account. */
export interface ChainKey {
  accountId: number;
  wallet: string;
  coin: string;
}

/** How far a chain is settled; described at `ledgerChain`. */
export interface ChainState {
  settledAt: number | null;
  settledBalance: DecimalString | null;
  lastSettled: Interval | null;
  billsThrough: number;
}

/** An entry in its place; a row is stored only if it says more than the entry. */
export interface StepRow {
  scopeId: number;
  billId: string;
  change: DecimalString | null;
  amount: DecimalString;
  bookedAt: number | null;
  position: number | null;
}

/** The verdict on a stored stretch, with its coin. */
export interface StoredVerdict extends TimeRange {
  coin: string;
  verdict: Verdict;
  cause: string | null;
}

type StoredChain = Omit<ChainState, "lastSettled"> & { coin: string; lastSettled: string | null };

const ofChain = "account_id = @accountId and wallet = @wallet and coin = @coin";

function prepare(sqlite: Sqlite) {
  return {
    accounts: sqlite.prepare<[], { id: number; name: string }>("select id, name from account order by id"),
    chains: sqlite.prepare<[number, string], StoredChain>(
      `select coin, settled_at as settledAt, ${digitsSql("settled_balance")} as settledBalance, last_settled as lastSettled,
         bills_through as billsThrough
       from ledger_chain where account_id = ? and wallet = ?`,
    ),
    putChain: sqlite.prepare(
      `insert into ledger_chain
         (account_id, wallet, coin, settled_at, settled_balance, last_settled, bills_through, revision, full_revision)
       values (@accountId, @wallet, @coin, @settledAt, @settledBalance, @lastSettled, @billsThrough, @now, @now)
       on conflict (account_id, wallet, coin) do update set settled_at = excluded.settled_at,
         settled_balance = excluded.settled_balance, last_settled = excluded.last_settled, bills_through = excluded.bills_through,
         revision = max(revision + 1, @now), full_revision = iif(@continues, full_revision, max(revision + 1, @now))`,
    ),
    findings: sqlite.prepare<[number], Finding>(
      "select category, type, convention, entries from ledger_finding where account_id = ?",
    ),
    isCurrent: sqlite.prepare<[number], number>(`select ${isCurrentSql} from account a where a.id = ?`).pluck(),
    setOutdated: sqlite.prepare(
      `update ledger_chain set settled_at = null where account_id = ? and wallet = '${allOfAccount}'`,
    ),
    removeFindings: sqlite.prepare("delete from ledger_finding where account_id = ?"),
    removeOthers: ["ledger_chain", "reconciled", "snapshot_balance"].map((table) =>
      sqlite.prepare(
        `delete from ${table} where account_id = @accountId and wallet <> '${allOfAccount}'
           and (wallet, coin) not in (select value ->> 0, value ->> 1 from json_each(@judged))`,
      ),
    ),
    addFinding: sqlite.prepare(
      `insert or ignore into ledger_finding (account_id, category, type, convention, entries)
       values (@accountId, @category, @type, @convention, @entries)`,
    ),
    removeIntervals: sqlite.prepare(`delete from reconciled where ${ofChain} and from_at >= @from`),
    addInterval: sqlite.prepare(
      `insert into reconciled (account_id, wallet, coin, from_at, to_at, opening, change, entries, closing, residual, verdict, cause)
       values (@accountId, @wallet, @coin, @from, @to, @opening, @change, @entries, @closing, @residual, @verdict, @cause)`,
    ),
    removeBalances: sqlite.prepare(`delete from snapshot_balance where ${ofChain} and at > @after`),
    addBalance: sqlite.prepare(
      `insert into snapshot_balance (account_id, wallet, coin, at, balance)
       values (@accountId, @wallet, @coin, @at, @balance)`,
    ),
    removeStep: sqlite.prepare("delete from bill_step where scope_id = @scopeId and bill_id = @billId"),
    addStep: sqlite.prepare(
      `insert into bill_step (scope_id, bill_id, change, booked_at, position)
       values (@scopeId, @billId, @change, @bookedAt, @position)`,
    ),
    ofWallet: sqlite.prepare<[number, string], StoredVerdict>(
      `select coin, from_at as "from", to_at as "to", verdict, cause from reconciled where account_id = ? and wallet = ?`,
    ),
    lastSnapshot: sqlite.prepare<[number], number | null>("select max(id) from snapshot where scope_id = ?").pluck(),
    lastSnapshotBefore: sqlite
      .prepare<[number, number], number | null>("select max(id) from snapshot where scope_id = ? and taken_at <= ?")
      .pluck(),
  };
}

/** The tables of the reconciliation in one file. */
export class LedgerRows {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(sqlite: Sqlite) {
    this.#statements = prepare(sqlite);
  }

  accounts(): { id: number; name: string }[] {
    return this.#statements.accounts.all();
  }

  /** Returns the chains of a wallet by coin. */
  chains(accountId: number, wallet: string): Map<string, ChainState> {
    const rows = this.#statements.chains.all(accountId, wallet);
    return new Map(rows.map(({ coin, lastSettled, ...state }) => [coin, { ...state, ...parseSettled(lastSettled) }]));
  }

  /** Stores the state of a chain after a pass at `now` (epoch ms); `continues`: it changed nothing before the part that was settled. */
  putChain(
    key: ChainKey,
    { settledBalance, lastSettled, ...state }: ChainState,
    { now, continues }: { now: number; continues: boolean },
  ): void {
    this.#statements.putChain.run({
      ...key,
      ...state,
      now,
      continues: continues ? 1 : 0,
      settledBalance: settledBalance && packDigits(settledBalance),
      lastSettled: lastSettled && JSON.stringify(lastSettled),
    });
  }

  /** Returns whether all of an account was judged by the present rules. */
  isCurrent(accountId: number): boolean {
    return this.#statements.isCurrent.get(accountId) === 1;
  }

  /** Forgets what later passes would build on, and that anything was judged by the present rules, until `putAccount`. */
  beginAgain(accountId: number): void {
    this.#statements.setOutdated.run(accountId);
    this.#statements.removeFindings.run(accountId);
  }

  /** Removes the chains of an account that were not judged (wallet and coin), because they are none by the present rules. */
  removeOthers(accountId: number, judged: readonly (readonly [string, string])[]): void {
    for (const statement of this.#statements.removeOthers) statement.run({ accountId, judged: JSON.stringify(judged) });
  }

  /**
   * Stores that a pass at `now` (epoch ms) judged an account by the present rules, and computed results of closed positions up to a
   * snapshot; `continues`: not all of them.
   */
  putAccount(accountId: number, through: number, pass: { now: number; continues: boolean }): void {
    const state = { settledAt: rulesVersion, settledBalance: null, lastSettled: null, billsThrough: through };
    this.putChain({ accountId, wallet: allOfAccount, coin: "" }, state, pass);
  }

  /** Returns the verdicts of a wallet. */
  verdicts(accountId: number, wallet: string): StoredVerdict[] {
    return this.#statements.ofWallet.all(accountId, wallet);
  }

  findings(accountId: number): Finding[] {
    return this.#statements.findings.all(accountId);
  }

  /** Stores findings that are new: later entries are read again until they are settled, and must not count twice. */
  addFindings(accountId: number, findings: readonly Finding[]): void {
    for (const finding of findings) this.#statements.addFinding.run({ accountId, ...finding });
  }

  /** Replaces the stretches that begin at `from` (epoch ms) or later. */
  replaceIntervals(key: ChainKey, from: number, intervals: readonly Interval[]): void {
    this.#statements.removeIntervals.run({ ...key, from });
    for (const { opening, change, closing, residual, ...facts } of intervals)
      this.#statements.addInterval.run({
        ...key,
        ...facts,
        opening: packDigits(opening),
        change: packDigits(change),
        closing: packDigits(closing),
        residual: packDigits(residual),
      });
  }

  /** Replaces the balances after `after` (epoch ms). */
  replaceBalances(key: ChainKey, after: number, balances: readonly Balance[]): void {
    this.#statements.removeBalances.run({ ...key, after });
    for (const { at, balance } of balances)
      if (at > after) this.#statements.addBalance.run({ ...key, at, balance: packDigits(balance) });
  }

  putSteps(steps: Iterable<StepRow>): void {
    for (const step of steps) {
      const { change, amount: _amount, ...place } = step;
      this.#statements.removeStep.run(place);
      if (saysMore(step)) this.#statements.addStep.run({ ...place, change: change && packDigits(change) });
    }
  }

  /** Returns the id of the last snapshot of these scopes; 0 if there is none. */
  lastSnapshot(scopeIds: readonly number[]): number {
    return Math.max(0, ...scopeIds.map((scopeId) => this.#statements.lastSnapshot.get(scopeId) ?? 0));
  }

  /** Returns the id of the last snapshot of a scope up to an instant (epoch ms); 0 if there is none. */
  lastSnapshotBefore(scopeId: number, instant: number): number {
    return this.#statements.lastSnapshotBefore.get(scopeId, instant) ?? 0;
  }
}

/** Deletes the reconciliation of an account, because what it follows from was changed; the next pass computes it again. */
export function forgetReconciliation(sqlite: Sqlite, account: string): void {
  const ofAccount = "account_id = (select id from account where name = ?)";
  for (const table of ["ledger_finding", "reconciled", "ledger_chain", "snapshot_balance"])
    sqlite.prepare(`delete from ${table} where ${ofAccount}`).run(account);
  const ofScopes = `scope_id in (select p.id from scope p join series e on e.id = p.series_id where e.${ofAccount})`;
  sqlite.prepare(`delete from bill_step where ${ofScopes}`).run(account);
  sqlite.prepare(`update position_result set is_final = 0 where ${ofScopes}`).run(account);
}

/** Returns the last settled stretch; nothing is settled where its text was damaged, so that the chain begins again. */
function parseSettled(text: string | null): Partial<ChainState> & Pick<ChainState, "lastSettled"> {
  try {
    return { lastSettled: text === null ? null : JSON.parse(text) };
  } catch {
    return { settledAt: null, settledBalance: null, lastSettled: null };
  }
}
