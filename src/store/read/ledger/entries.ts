/** Reads the entries of the exchange's ledger for sums, and the ledgers that they belong to. */
import { bills } from "../../../datasets/ledger/bills.ts";
import type { DetailedEntry, LedgerEntry, Span, WalletLedger } from "../../history.ts";
import { recordLayoutOf, recordQuery, walletSql } from "../../schema/record-layout.ts";
import type { Sqlite } from "../../sqlite/database.ts";
import { collectedOf } from "./collected.ts";

const basicColumns = "account, wallet, coin, at_ms as at, kind, amount, fee, change";

const detailedColumns = `${basicColumns}, bill_id as id, coalesce(category, wallet) as category, type, balance, symbol, order_id as orderId`;

/** Yields the newest version of each entry of a span, oldest first. */
export const selectEntries = (sqlite: Sqlite, account: string | null, span: Span): Iterable<LedgerEntry> =>
  select<LedgerEntry>(sqlite, basicColumns, "at_ms", { ...span, account });

/** Yields the same with all that the exchange lists of them; those of one millisecond in the order in which their balances follow. */
export const selectDetailedEntries = (sqlite: Sqlite, account: string | null, span: Span): Iterable<DetailedEntry> =>
  select<DetailedEntry>(sqlite, detailedColumns, "at_ms, coalesce(position, 0)", { ...span, account });

function select<Entry>(
  sqlite: Sqlite,
  columns: string,
  order: string,
  of: Span & { account: string | null },
): Iterable<Entry> {
  const newest = recordQuery({ ...recordLayoutOf(bills), dataset: { ...bills, changes: true } });
  return sqlite
    .prepare<unknown[], Entry>(
      `select ${columns} from (${newest})
       where at_ms >= @from and at_ms < @to and (@account is null or account = @account)
       order by ${order}, length(bill_id), bill_id`,
    )
    .iterate(of);
}

interface ScopeRow {
  accountId: number;
  account: string;
  scopeId: number;
  wallet: string;
  /** When the account was changed to a unified one, or recorded as one; null if it is not. */
  unifiedSince: number | null;
}

/** Returns the ledgers that were ever read, of one account or of all (null), in the order in which they were first read. */
export function selectLedgers(sqlite: Sqlite, account: string | null): WalletLedger[] {
  const scopes = sqlite
    .prepare<unknown[], ScopeRow>(
      `select a.id as accountId, a.name as account, p.id as scopeId, ${walletSql} as wallet,
         (select min(m.since) from account_mode m where m.account_id = a.id and m.api = 'v3') as unifiedSince
       from scope p join series e on e.id = p.series_id join account a on a.id = e.account_id
       where e.dataset = 'bills' and (@account is null or a.name = @account) order by p.id`,
    )
    .all({ account });
  const wallets = new Map<string, ScopeRow[]>();
  for (const scope of scopes) {
    const key = `${scope.accountId} ${scope.wallet}`;
    wallets.set(key, [...(wallets.get(key) ?? []), scope]);
  }
  return [...wallets.values()].flatMap((own) => {
    const [first] = own;
    if (!first) return [];
    const { account, wallet, unifiedSince } = first;
    const wasClassic = scopes.some((one) => one.accountId === first.accountId && !isUnified(one));
    const from = isUnified(first) && wasClassic ? (unifiedSince ?? 0) : 0;
    const to = isUnified(first) ? Number.MAX_SAFE_INTEGER : (unifiedSince ?? Number.MAX_SAFE_INTEGER);
    const scopeIds = own.map(({ scopeId }) => scopeId);
    return [{ account, wallet, from, to, ...collectedOf(sqlite, scopeIds) }];
  });
}

/** Classic accounts have no ledger of their funding wallet. */
const isUnified = ({ wallet }: ScopeRow): boolean => wallet === "unified" || wallet === "funding";
