/** Reads what the reconciliation of the exchange's ledger found. */
import type { Verdict } from "../../../reconciliation/verdict.ts";
import type { LedgerBreak, LedgerReads, LedgerRef, WalletProof } from "../../history.ts";
import { digitsSql } from "../../schema/encoding.ts";
import type { Sqlite } from "../../sqlite/database.ts";
import { prepareOnce } from "../../sqlite/prepare-once.ts";
import { isCurrentSql } from "./rules.ts";

/** How many of the entries that were stored last are searched for the newest one: some of them are late. */
const newestAmong = 100;

/** Returns the queries on a connection. */
export const ledgerReads = (sqlite: Sqlite): LedgerReads => ({
  breaks: prepareOnce(() => {
    const statement = sqlite.prepare<[string], LedgerBreak>(
      `select a.name as account, r.wallet, r.coin, r.from_at as "from", r.to_at as "to", ${digitsSql("r.residual")} as residual
       from account a join reconciled r on r.account_id = a.id
       where a.name = ? and r.verdict = 'break' order by r.wallet, r.coin, r.from_at`,
    );
    return (account) => statement.all(account);
  }),
  verdictAt: prepareOnce(() => {
    const statement = sqlite
      .prepare<LedgerRef, Verdict>(
        `select r.verdict from account a join reconciled r on r.account_id = a.id
         where a.name = @account and r.wallet = @wallet and r.coin = @coin and r.from_at <= @from and r.to_at > @from
         order by r.from_at desc limit 1`,
      )
      .pluck();
    return (ref) => statement.get(ref) ?? null;
  }),
  proofs: prepareOnce(() => {
    const proofs = sqlite.prepare<[], ProofRow>(proofsSql);
    const newest = sqlite.prepare<[], NewestRow>(newestSql);
    return () => proofsOf(proofs.all(), newest.all());
  }),
});

/** A row of `proofsSql`. */
export interface ProofRow extends Omit<WalletProof, "newestAt" | "isCurrent"> {
  key: string;
  isCurrent: 0 | 1 | boolean;
}

/** A row of `newestSql`. */
export interface NewestRow {
  key: string;
  at: number | null;
}

/** Returns what the rows of both queries say about each wallet. */
export function proofsOf(proofs: readonly ProofRow[], newest: readonly NewestRow[]): WalletProof[] {
  const newestAt = new Map(newest.map(({ key, at }) => [key, at]));
  return proofs.map(({ key, isCurrent, ...proof }) => ({
    ...proof,
    isCurrent: Boolean(isCurrent),
    newestAt: newestAt.get(key) ?? null,
  }));
}

/** Reads the proofs, in either database. What lies before the first stretch with a verdict on entries is before the ledger. */
export const proofsSql = `
  with ledger as (
    select account_id, wallet, min(from_at) as begins from reconciled
    where verdict not in ('gap', 'unprovable') group by account_id, wallet)
  select a.id || ' ' || r.wallet as key, a.name as account, r.wallet,
    cast(sum(case when r.to_at <= l.begins then 0 when r.from_at < l.begins then r.to_at - l.begins
      else r.to_at - r.from_at end) as bigint) as "totalMs",
    cast(sum(case when r.verdict in ('proven', 'rounded') then r.to_at - r.from_at else 0 end) as bigint) as "provenMs",
    count(case when r.verdict = 'break' then 1 end) as breaks, ${isCurrentSql} as "isCurrent"
  from ledger l join account a on a.id = l.account_id
    join reconciled r on r.account_id = l.account_id and r.wallet = l.wallet
  group by a.id, r.wallet order by a.name, r.wallet`;

/** Reads the newest of the entries that were stored last, in either database; ids grow with time. */
export const newestSql = `
  select e.account_id || ' ' || case when p.product_type like 'unified/%' then 'unified' else p.product_type end as key,
    max((select max(at) from (
      select at from bills_record where scope_id = p.id order by snapshot_id desc, bill_id desc limit ${newestAmong}) n)) as at
  from scope p join series e on e.id = p.series_id where e.dataset = 'bills' group by 1`;
