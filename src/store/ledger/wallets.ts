/** Finds the wallets of an account in its snapshots and lists of bills, and the balances that snapshots show of them. */
import { holdsMoney } from "../../bitget/product-types.ts";
import { add, asDecimal, sumOf } from "../../core/decimal.ts";
import type { DecimalString, ProductType } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { fundingAssets } from "../../datasets/snapshots/funding-assets.ts";
import { mixAccounts } from "../../datasets/snapshots/mix-accounts.ts";
import { spotAssets } from "../../datasets/snapshots/spot-assets.ts";
import type { Balance, Snapshots } from "../../reconciliation/snapshots.ts";
import type { ItemCells } from "../history.ts";
import { itemPoints } from "../read/time-series.ts";
import { prefixOf } from "../schema/tables.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** Where the balances of a wallet are in snapshots. */
interface WalletSource {
  dataset: Dataset;
  /** The key column with the coin. */
  coin: string;
  columns: readonly string[];
  /** Returns the balance that the ledger of the wallet leads to; null if it is unknown. A coin that is not listed has "0". */
  balance(cells: ItemCells): DecimalString | null;
  /** By how much the exchange may have cut the parts of the balance. */
  tolerance: DecimalString;
}

const decimals = (cells: ItemCells): (DecimalString | null)[] => (cells ?? []).map(asDecimal);

/** Available, frozen and locked together: orders move money between them without an entry. */
const spot: WalletSource = {
  dataset: spotAssets,
  coin: "coin",
  columns: ["available", "frozen", "locked"],
  balance: (cells) => (cells ? sumOf(decimals(cells)) : "0"),
  tolerance: "0.00000003",
};

/** The balance without unrealised profit, which changes without entries. */
const unified: WalletSource = {
  dataset: spotAssets,
  coin: "coin",
  columns: ["balance"],
  balance: (cells) => (cells ? (decimals(cells)[0] ?? null) : "0"),
  tolerance: "0.00000001",
};

/** A missing `frozen` stands for a coin that cannot be frozen. */
const funding: WalletSource = {
  dataset: fundingAssets,
  coin: "coin",
  columns: ["available", "frozen"],
  balance(cells) {
    const [available = null, frozen] = decimals(cells);
    return cells ? available && add(available, frozen ?? "0") : "0";
  },
  tolerance: "0.00000002",
};

/** `available` includes what orders and crossed positions use, but not the margin of isolated positions, which is missing if there are none. */
const futures: WalletSource = {
  dataset: mixAccounts,
  coin: "margin_coin",
  columns: ["available", "isolated_margin"],
  balance(cells) {
    const [available = null, isolated] = decimals(cells);
    return cells ? available && add(available, isolated ?? "0") : "0";
  },
  tolerance: "0.00000002",
};

/** A wallet of an account. */
export interface Wallet {
  accountId: number;
  /** As the views name it. */
  name: string;
  /** The scope of its snapshots; null if none was requested. */
  scopeId: number | null;
  source: WalletSource;
  /** The scopes of its bills, of which a unified wallet has several. */
  billScopes: readonly number[];
  /** False for wallets of which the exchange has no list of entries with balances. */
  hasLedger: boolean;
  /** When it began and ended, because the account was changed to a unified one. Epoch ms. */
  from: number;
  to: number;
}

interface ScopeRow {
  dataset: string;
  scopeId: number;
  productType: string;
}

/** Returns the wallets of an account. */
export function walletsOf(sqlite: Sqlite, accountId: number): Wallet[] {
  const scopes = sqlite
    .prepare<[number], ScopeRow>(
      `select e.dataset, p.id as scopeId, p.product_type as productType from series e join scope p on p.series_id = e.id
       where e.account_id = ? order by p.id`,
    )
    .all(accountId);
  const unifiedSince = sqlite
    .prepare<[number], number | null>("select min(since) from account_mode where account_id = ? and api = 'v3'")
    .pluck()
    .get(accountId);
  const isClassic = unifiedSince === null || scopes.some(({ productType }) => productType === "spot");
  const change = unifiedSince ?? Number.MAX_SAFE_INTEGER;
  const billsOf = (name: string) =>
    scopes
      .filter(({ dataset, productType }) => dataset === "bills" && productType.split("/")[0] === name)
      .map(({ scopeId }) => scopeId);
  const wallet = (name: string, source: WalletSource, scopeId: number | null, more: Partial<Wallet> = {}): Wallet => ({
    accountId,
    name,
    scopeId,
    source,
    billScopes: billsOf(name),
    hasLedger: true,
    from: 0,
    to: Number.MAX_SAFE_INTEGER,
    ...more,
  });
  const scopeOf = (dataset: Dataset, productType = "") =>
    scopes.find((one) => one.dataset === dataset.name && one.productType === productType)?.scopeId ?? null;
  const spotScope = scopeOf(spotAssets);
  const fundingScope = scopeOf(fundingAssets);
  const wallets: Wallet[] = [];
  if (isClassic && spotScope !== null) wallets.push(wallet("spot", spot, spotScope, { to: change }));
  if (unifiedSince !== null && unifiedSince !== undefined && spotScope !== null)
    wallets.push(wallet("unified", unified, spotScope, { from: isClassic ? change : 0 }));
  if (fundingScope !== null)
    wallets.push(wallet("funding", funding, fundingScope, { hasLedger: billsOf("funding").length > 0 }));
  for (const { dataset, productType, scopeId } of scopes)
    if (dataset === mixAccounts.name && productType !== "unified")
      wallets.push(
        wallet(productType, futures, scopeId, { hasLedger: holdsMoney(productType as ProductType), to: change }),
      );
  // Its assets are not collected, so that its entries can only prove each other.
  if (billsOf("margin-crossed").length > 0) wallets.push(wallet("margin-crossed", spot, null));
  return wallets;
}

/** Returns the coins that snapshots of a wallet list, and with `entries` those that its entries have, in capitals. */
export function coinsOf(sqlite: Sqlite, { scopeId, source, billScopes }: Wallet, entries: boolean): string[] {
  const listed = sqlite
    .prepare<[number | null], string>(
      `select distinct upper(${source.coin}) from ${prefixOf(source.dataset)}_item where scope_id = ?`,
    )
    .pluck();
  const booked = sqlite
    .prepare<[number], string>("select distinct upper(coin) from bills_record where scope_id = ?")
    .pluck();
  return [...listed.all(scopeId), ...(entries ? billScopes.flatMap((scope) => booked.all(scope)) : [])];
}

/** Returns what the snapshots of a wallet show of a coin from an instant (epoch ms) on. */
export function snapshotsOf(sqlite: Sqlite, wallet: Wallet, coin: string, from: number): Snapshots {
  const { scopeId, source } = wallet;
  const times: number[] = [];
  const versions: { since: number; balance: DecimalString | null }[] = [];
  if (scopeId === null) return { times, versions };
  const itemId = sqlite
    .prepare<[number, string], number>(
      `select id from ${prefixOf(source.dataset)}_item where scope_id = ? and upper(${source.coin}) = ?`,
    )
    .pluck()
    .get(scopeId, coin);
  const span = { from: Math.max(from, wallet.from), to: wallet.to };
  const item = { itemId: itemId ?? null, scopeId, seriesId: 0 };
  for (const { at, value } of itemPoints(sqlite, source.dataset, item, span, source.columns, source.balance)) {
    if (versions.length === 0 || versions.at(-1)?.balance !== value)
      versions.push({ since: times.length, balance: value });
    times.push(at);
  }
  return { times, versions };
}

/** Returns the balances at which the snapshots change. */
export const changesIn = ({ times, versions }: Snapshots): Balance[] =>
  versions.flatMap(({ since, balance }) => {
    const at = times[since];
    return at === undefined || balance === null ? [] : [{ at, balance }];
  });
