/** Says whether the exchange's ledger proves the balances of an instant for which there is no snapshot. */
import type { BalancesAt } from "../../history.ts";
import type { Sqlite } from "../../sqlite/database.ts";

/** The wallets whose balances a dataset shows, by dataset; a futures account is a wallet of its own. */
const wallets: Record<string, readonly string[]> = {
  "spot-assets": ["spot", "unified"],
  "funding-assets": ["funding"],
};

/**
 * Returns the statement that shows the balances of an instant, by wallet and coin; null where the ledger does not prove each of them,
 * or where the dataset has no ledger.
 */
export function rebuiltBalances(sqlite: Sqlite, { account, dataset, productType, at }: BalancesAt): string | null {
  const own = dataset === "mix-accounts" && productType !== null ? [productType] : (wallets[dataset] ?? []);
  const of = `r.account = '${account}' and r.wallet in (${own.map((wallet) => `'${wallet}'`).join(", ")})
    and r.from_at_ms <= ${at} and r.to_at_ms > ${at}`.replace(/\s+/g, " ");
  const isProven = sqlite
    .prepare<[], number | null>(`select min(r.verdict in ('proven', 'rounded')) from reconciliation r where ${of}`)
    .pluck()
    .get();
  const last = `select b.balance from wallet_balances b where b.account = r.account and b.wallet = r.wallet and upper(b.coin) = r.coin
    and b.at_ms <= ${at} order by b.at_ms desc, b.position desc, length(b.bill_id) desc, b.bill_id desc limit 1`;
  // Without an entry before, the balance is that of the snapshot with which the stretch begins.
  const statement = `select r.wallet, r.coin, coalesce((${last}), r.opening) as balance, r.verdict from reconciliation r where ${of}`;
  return isProven === 1 ? statement.replace(/\s+/g, " ") : null;
}
