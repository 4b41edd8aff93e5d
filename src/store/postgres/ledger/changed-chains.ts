/**
 * Finds the chains whose reconciliation changed since it was copied, and from where on: what was settled then is the same, unless a later
 * pass did not continue but began again.
 */
import { allOfAccount } from "../../read/ledger/rules.ts";
import { idSql } from "../../schema/encoding.ts";
import { reconciledWalletSql } from "../../schema/record-layout.ts";

/** What a copy must know of a chain, as `chainQuery` reads it. */
export type ChainRow = readonly [
  accountId: number,
  wallet: string,
  coin: string,
  revision: number,
  fullRevision: number,
  settledAt: number | null,
  lastSettled: string | null,
  billsThrough: number,
];

/** Reads the chains; the same in both databases. */
export const chainQuery =
  "select account_id, wallet, coin, revision, full_revision, settled_at, last_settled, bills_through from ledger_chain";

/** Chains by their keys. */
export type Chains = ReadonlyMap<string, ChainRow>;

/** Returns rows of `chainQuery` by their keys. */
export const chainsOf = (rows: readonly (readonly unknown[])[]): Chains =>
  new Map((rows as readonly ChainRow[]).map((row) => [row.slice(0, 3).join("\0"), row]));

/**
 * A chain of which the stretches and balances from an instant on, and the steps of the entries after one, are copied (epoch ms); or, of the
 * row of an account without a wallet, the results of positions that a snapshot was taken into account for, or a later one.
 */
export interface ChangedChain {
  accountId: number;
  wallet: string;
  coin: string;
  stretchesFrom: number;
  balancesFrom: number;
  entriesAfter: number;
  resultsFrom: number;
}

/** Returns the chains that differ from those of the copy, also those that only the copy has. */
export function changedChains(current: Chains, copied: Chains): ChangedChain[] {
  const changed: ChangedChain[] = [];
  for (const [key, [accountId, wallet, coin]] of new Map([...copied, ...current])) {
    const [before, after] = [copied.get(key), current.get(key)];
    if (before?.[3] === after?.[3]) continue;
    changed.push({ accountId, wallet, coin, ...changedFrom(before, after) });
  }
  return changed;
}

const everything = { stretchesFrom: 0, balancesFrom: 0, entriesAfter: Number.MIN_SAFE_INTEGER, resultsFrom: 0 };

/** Returns from where on a chain changed. */
function changedFrom(
  copied: ChainRow | undefined,
  current: ChainRow | undefined,
): Omit<ChangedChain, "accountId" | "wallet" | "coin"> {
  if (!copied || !current) return everything;
  const [, , , revision, , settledAt, lastSettled, resultsFrom] = copied;
  const continues = current[4] <= revision && revision < current[3];
  if (!continues) return everything;
  const stretchesFrom = settledAt === null ? null : beginOf(lastSettled);
  return settledAt === null || stretchesFrom === null
    ? { ...everything, resultsFrom }
    : { stretchesFrom, balancesFrom: settledAt, entriesAfter: settledAt, resultsFrom };
}

/** Returns when a stored stretch begins, epoch ms; null where its text was damaged. */
function beginOf(stretch: string | null): number | null {
  try {
    return stretch === null ? 0 : (JSON.parse(stretch) as { from: number }).from;
  } catch {
    return null;
  }
}

/**
 * The tables of the reconciliation that belong to a chain, as SQL that joins them as `r` to a table `c` of changed chains. Entries after
 * an instant came with snapshots after it: that is what has an index.
 */
export const chainJoins = {
  reconciled:
    "reconciled r on r.account_id = c.account_id and r.wallet = c.wallet and r.coin = c.coin and r.from_at >= c.stretches_from",
  snapshot_balance:
    "snapshot_balance r on r.account_id = c.account_id and r.wallet = c.wallet and r.coin = c.coin and r.at >= c.balances_from",
  bill_step: `series e on e.account_id = c.account_id and e.dataset = 'bills'
    join scope p on p.series_id = e.id and ${reconciledWalletSql} = c.wallet
    join bills_record b on b.scope_id = p.id and b.snapshot_id > coalesce((
      select id from snapshot where scope_id = p.id and taken_at <= c.entries_after order by taken_at desc limit 1), 0)
      and b.at > c.entries_after and upper(b.coin) = c.coin
    join bill_step r on r.scope_id = b.scope_id and r.bill_id = ${idSql("b.bill_id")}`,
  position_result: `series e on e.account_id = c.account_id and e.dataset = 'closed-positions' and c.wallet = '${allOfAccount}'
    join scope p on p.series_id = e.id join position_result r on r.scope_id = p.id and r.through >= c.results_from`,
  ledger_chain: "ledger_chain r on r.account_id = c.account_id and r.wallet = c.wallet and r.coin = c.coin",
} as const;
