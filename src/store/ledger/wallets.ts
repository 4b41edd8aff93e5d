/** Finds the wallets of an account in its snapshots and lists of bills, and the balances that snapshots show of them. */
import type { Statement } from "better-sqlite3";
import { holdsMoney } from "../../bitget/product-types.ts";
import { add, asDecimal, sumOf } from "../../core/decimal.ts";
import { type DecimalString, productTypes } from "../../core/domain.ts";
import { minuteMs } from "../../core/time.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { fundingAssets } from "../../datasets/snapshots/funding-assets.ts";
import { mixAccounts } from "../../datasets/snapshots/mix-accounts.ts";
import { spotAssets } from "../../datasets/snapshots/spot-assets.ts";
import type { Balance, Snapshots } from "../../reconciliation/snapshots.ts";
import { type Hole, reasons } from "../../reconciliation/verdict.ts";
import type { ItemCells } from "../history.ts";
import { pointReader } from "../read/time-series.ts";
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
  /** The part of the balance that the ledger may leave out; missing where it is known that it does not. */
  frozen?: Pick<WalletSource, "columns" | "balance">;
}

const decimals = (cells: ItemCells): (DecimalString | null)[] => (cells ?? []).map(asDecimal);

/** Available, frozen and locked together: orders move money between them without an entry. */
const spot: WalletSource = {
  dataset: spotAssets,
  coin: "coin",
  columns: ["available", "frozen", "locked"],
  balance: (cells) => (cells ? sumOf(decimals(cells)) : "0"),
  tolerance: "0.00000003",
  frozen: { columns: ["frozen", "locked"], balance: (cells) => (cells ? sumOf(decimals(cells)) : "0") },
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
  /** The scopes of withdrawals, where only these state the fees of its entries. */
  feeScopes: readonly number[];
  /** False for wallets of which the exchange has no list of entries with balances. */
  hasLedger: boolean;
  /** From when on the exchange has such a list. Epoch ms. */
  ledgerFrom: number;
  /** When it began and ended, because the account was changed to a unified one. Epoch ms. */
  from: number;
  to: number;
}

/** When an account was first recorded (null: it was imported), and when as a unified one (null: never). Epoch ms. */
interface Mode {
  since: number | null;
  unifiedSince: number | null;
}

interface ScopeRow {
  dataset: string;
  scopeId: number;
  productType: string;
}

/** Reads the wallets of accounts, and what snapshots show of them. */
export class WalletReader {
  readonly #scopes: Statement<[number], ScopeRow>;
  readonly #mode: Statement<[{ accountId: number }], Mode>;
  readonly #bookedCoins: Statement<[number], string>;
  readonly #sources: ReadonlyMap<Dataset, PreparedSource>;

  constructor(sqlite: Sqlite) {
    this.#scopes = sqlite.prepare(
      `select e.dataset, p.id as scopeId, p.product_type as productType from series e join scope p on p.series_id = e.id
       where e.account_id = ? order by p.id`,
    );
    this.#mode = sqlite.prepare(modeSql);
    this.#bookedCoins = sqlite
      .prepare<[number], string>("select distinct upper(coin) from bills_record where scope_id = ?")
      .pluck();
    this.#sources = new Map([spot, funding, futures].map((source) => [source.dataset, prepareSource(sqlite, source)]));
  }

  /** Returns the wallets of an account. */
  wallets(accountId: number): Wallet[] {
    return walletsIn(accountId, this.#scopes.all(accountId), this.#mode.get({ accountId }));
  }

  /** Returns the coins that snapshots of a wallet list, and with `entries` those that its entries have, in capitals. */
  coins({ scopeId, source, billScopes }: Wallet, entries: boolean): string[] {
    const listed = this.#sources.get(source.dataset)?.listedCoins.all(scopeId) ?? [];
    return [...listed, ...(entries ? billScopes.flatMap((scope) => this.#bookedCoins.all(scope)) : [])];
  }

  /** Returns what the snapshots of a wallet show of a coin from an instant (epoch ms) on. */
  snapshots({ scopeId, source, ...wallet }: Wallet, coin: string, from: number): Snapshots {
    const times: number[] = [];
    const versions: { since: number; balance: DecimalString | null }[] = [];
    const prepared = this.#sources.get(source.dataset);
    if (scopeId === null || !prepared) return { times, versions };
    const item = { itemId: prepared.itemId.get(scopeId, coin) ?? null, scopeId, seriesId: 0 };
    const span = { from: Math.max(from, wallet.from), to: wallet.to };
    for (const { at, value } of prepared.points(item, span, source.columns, source.balance)) {
      if (versions.length === 0 || versions.at(-1)?.balance !== value)
        versions.push({ since: times.length, balance: value });
      times.push(at);
    }
    return { times, versions };
  }

  /** Returns what snapshots show to be frozen of a coin likewise; null where it is known that the ledger contains it. */
  frozen(wallet: Wallet, coin: string, from: number): Snapshots | null {
    const { source } = wallet;
    return source.frozen ? this.snapshots({ ...wallet, source: { ...source, ...source.frozen } }, coin, from) : null;
  }
}

/**
 * An imported history has no modes: there an account is a unified one from about the first snapshot on that names its wallet. The
 * snapshots of a slot are up to a minute apart.
 */
const modeSql = `
  select since, coalesce(unifiedSince, case when since is null then (
      select min(n.taken_at) - ${minuteMs} from series e join scope p on p.series_id = e.id join snapshot n on n.scope_id = p.id
      where e.account_id = @accountId and (p.product_type = 'unified' or p.product_type like 'unified/%')) end) as unifiedSince
  from (select min(since) as since, min(case when api = 'v3' then since end) as unifiedSince
    from account_mode where account_id = @accountId)`;

type PreparedSource = ReturnType<typeof prepareSource>;

function prepareSource(sqlite: Sqlite, { dataset, coin }: WalletSource) {
  const items = `${prefixOf(dataset)}_item where scope_id = ?`;
  return {
    listedCoins: sqlite.prepare<[number | null], string>(`select distinct upper(${coin}) from ${items}`).pluck(),
    itemId: sqlite.prepare<[number, string], number>(`select id from ${items} and upper(${coin}) = ?`).pluck(),
    points: pointReader(sqlite, dataset),
  };
}

/** Returns the wallets of an account that has these scopes. */
function walletsIn(
  accountId: number,
  scopes: readonly ScopeRow[],
  { since, unifiedSince }: Mode = { since: null, unifiedSince: null },
): Wallet[] {
  const change = unifiedSince ?? Number.MAX_SAFE_INTEGER;
  const billsOf = (name: string) =>
    scopes
      .filter(({ dataset, productType }) => dataset === "bills" && productType.split("/")[0] === name)
      .map(({ scopeId }) => scopeId);
  const isUnified = unifiedSince !== null;
  const isClassic = !isUnified || scopes.some(({ productType }) => productType === "spot");
  const feeScopes = scopes.filter(({ dataset }) => dataset === "withdrawals").map(({ scopeId }) => scopeId);
  const wallet = (name: string, source: WalletSource, scopeId: number | null, more: Partial<Wallet> = {}): Wallet => ({
    accountId,
    name,
    scopeId,
    source,
    billScopes: billsOf(name),
    feeScopes: [],
    hasLedger: true,
    ledgerFrom: 0,
    from: 0,
    to: Number.MAX_SAFE_INTEGER,
    ...more,
  });
  const scopeOf = (dataset: Dataset, productType = "") =>
    scopes.find((one) => one.dataset === dataset.name && one.productType === productType)?.scopeId ?? null;
  const spotScope = scopeOf(spotAssets);
  const fundingScope = scopeOf(fundingAssets);
  // Without snapshots the entries can only prove each other.
  const exists = (name: string, scopeId: number | null) => scopeId !== null || billsOf(name).length > 0;
  const wallets: Wallet[] = [];
  if (isClassic && exists("spot", spotScope)) wallets.push(wallet("spot", spot, spotScope, { to: change }));
  if (isUnified && exists("unified", spotScope))
    wallets.push(wallet("unified", unified, spotScope, { from: isClassic ? change : 0 }));
  if (exists("funding", fundingScope)) {
    // Only a unified account has a list of it.
    const wasClassic = isClassic || (since !== null && since !== unifiedSince);
    const ledgerFrom = wasClassic ? change : 0;
    const hasLedger = billsOf("funding").length > 0;
    wallets.push(wallet("funding", funding, fundingScope, { hasLedger, ledgerFrom, feeScopes }));
  }
  for (const productType of productTypes) {
    const scopeId = scopeOf(mixAccounts, productType);
    if (exists(productType, scopeId))
      wallets.push(wallet(productType, futures, scopeId, { hasLedger: holdsMoney(productType), to: change }));
  }
  // The assets of margin accounts are not collected.
  if (billsOf("margin-crossed").length > 0) wallets.push(wallet("margin-crossed", spot, null));
  for (const { productType, scopeId } of scopes)
    if (productType.startsWith("margin-isolated/"))
      wallets.push(wallet(productType, spot, null, { billScopes: [scopeId] }));
  return wallets;
}

/** Returns where a wallet has no ledger: before the exchange had a list, and where that was not collected. */
export const holesOf = ({ ledgerFrom }: Wallet, collected: readonly Hole[]): Hole[] => [
  ...(ledgerFrom > 0 ? [{ from: 0, to: ledgerFrom, cause: reasons.noLedger }] : []),
  ...collected,
];

/** Returns the balances at which the snapshots change. */
export const changesIn = ({ times, versions }: Snapshots): Balance[] =>
  versions.flatMap(({ since, balance }) => {
    const at = times[since];
    return at === undefined || balance === null ? [] : [{ at, balance }];
  });
