/**
 * The equity of the whole account in USDT, without demo money. `usdtEquity` is known, and `complete` is 1, if every part is
 * known. `pricedUsdt` is the sum of the known parts; `unpriced` and `missing` list what it does not contain.
 *
 * v2 The exchange values every wallet itself.
 * v3 The exchange values the unified wallet (`unifiedUsdt`); the funding wallet is valued with `prices`.
 * v1 Nothing is requested: spot balances are valued with `prices`, futures accounts by their `usdtEquity`. v1 does not provide
 *    the other wallets, so `otherUsdt` is unknown and `complete` covers only spot and the configured product types.
 *
 * Sources: https://www.bitget.com/api-doc/common/account/All-Account-Balance,
 * https://www.bitget.com/api-doc/uta/account/Get-Account
 */
import { z } from "zod";
import { apiEndpoint } from "../../bitget/endpoints.ts";
import * as column from "../../core/columns.ts";
import { sum } from "../../core/decimal.ts";
import type { DecimalString, Extra } from "../../core/domain.ts";
import { dataset, sourceFor } from "../dataset.ts";
import { decimal, item, list, name, namelessZero, optionalDecimal } from "../fields.ts";
import { unifiedAssetsEndpoint } from "../unified-wallet.ts";
import { reportedValue, sumOfKnown, type Valuation, valueInUsdt } from "../valuation.ts";

const columns = {
  /** The value of the account; NULL unless every part is known. Unit: USDT. */
  usdtEquity: column.decimal().volatile(),
  /** The spot wallet; NULL for a unified account, which has no separate wallets. Unit: USDT. */
  spotUsdt: column.decimal().volatile(),
  /** The futures accounts; NULL for a unified account. Unit: USDT. */
  futuresUsdt: column.decimal().volatile(),
  /** Everything else: funding, earn, bots and margin together. Unit: USDT. */
  otherUsdt: column.decimal().volatile(),
  /** 1 if every part is known. */
  complete: column.flag().notNull(),
  /** The funding wallet. Unit: USDT. */
  fundingUsdt: column.decimal().volatile(),
  /** Earn products. Unit: USDT. */
  earnUsdt: column.decimal().volatile(),
  /** Trading bots. Unit: USDT. */
  botsUsdt: column.decimal().volatile(),
  /** The margin wallets. Unit: USDT. */
  marginUsdt: column.decimal().volatile(),
  /** The wallet of a unified account, by the exchange's valuation. Unit: USDT. */
  unifiedUsdt: column.decimal().volatile(),
  /** The same in BTC. Unit: BTC. */
  btcEquity: column.decimal().volatile(),
  /** The same in US dollars. Unit: USD. */
  accountEquity: column.decimal().volatile(),
  /** The value that counts as collateral; not a balance. Unit: USD. */
  effectiveEquity: column.decimal().volatile(),
  /** Unrealised profit of a unified account. Unit: USD. */
  unrealizedPl: column.decimal().volatile(),
  /** The same in USDT. Unit: USDT. */
  usdtUnrealizedPl: column.decimal().volatile(),
  /** The same in BTC. Unit: BTC. */
  btcUnrealizedPl: column.decimal().volatile(),
  /** The maintenance margin: an amount, not a rate. Unit: USD. */
  mmr: column.decimal().volatile(),
  /** The initial margin: an amount, not a rate. Unit: USD. */
  imr: column.decimal().volatile(),
  /** The margin ratio of a unified account; at 1 it is liquidated. Unit: share. */
  marginRatio: column.decimal().volatile(),
  /** The margin ratio of its positions. Unit: share. */
  positionMarginRatio: column.decimal().volatile(),
  /** The value of its positions. */
  positionValue: column.decimal().volatile(),
  /** The leverage of the unified account. */
  leverage: column.decimal().volatile(),
  /** The sum of all known values; equal to `usdt_equity` if everything is known. Unit: USDT. */
  pricedUsdt: column.decimal().volatile().addedLater(),
  /** Coins for which the exchange has no price: a JSON object, coin to amount. NULL if there are none. */
  unpriced: column.text().addedLater(),
  /** Datasets or wallets that lack required data: a JSON list of names. NULL if there are none. */
  missing: column.text().addedLater(),
};

const notByWallet = { fundingUsdt: null, earnUsdt: null, botsUsdt: null, marginUsdt: null };
const notUnified = {
  unifiedUsdt: null,
  btcEquity: null,
  accountEquity: null,
  effectiveEquity: null,
  unrealizedPl: null,
  usdtUnrealizedPl: null,
  btcUnrealizedPl: null,
  mmr: null,
  imr: null,
  marginRatio: null,
  positionMarginRatio: null,
  positionValue: null,
  leverage: null,
};

/** Returns the columns for the total, which is null unless every part is known, and for its known and unknown parts. */
function totalOf(parts: readonly Valuation[]) {
  const isWhole = parts.every(({ value }) => value !== null);
  const pricedUsdt = sumOfKnown(parts.map(({ priced }) => priced));
  const unpriced = Object.fromEntries(parts.flatMap(({ unpriced }) => [...unpriced]).sort(byCoin));
  const missing = [...new Set(parts.flatMap(({ missing }) => [...missing]))];
  return {
    usdtEquity: isWhole ? pricedUsdt : null,
    complete: isWhole ? 1 : 0,
    pricedUsdt,
    unpriced: Object.keys(unpriced).length > 0 ? JSON.stringify(unpriced) : null,
    missing: missing.length > 0 ? JSON.stringify(missing) : null,
  } as const;
}

const byCoin = ([one]: [string, DecimalString], [other]: [string, DecimalString]): number => (one < other ? -1 : 1);

/** Returns the valuation that the exchange itself reports for a part of the equity. */
const reportedValuation = (name: string, value: DecimalString | null): Valuation => ({
  value,
  priced: value,
  unpriced: new Map(),
  missing: new Set(value === null ? [name] : []),
});

interface Wallet {
  fields: { accountType: string; usdtBalance: DecimalString | null };
  extra: Extra;
}

const walletsWithColumn = ["spot", "futures", "funding", "earn", "bots", "margin"];

/** Returns unknown wallets by name and unknown fields of the others: `{ "loans": "12.5", "spot.note": … }`. */
function unknownWallets(wallets: readonly Wallet[]): Extra {
  const unknown = wallets.flatMap(({ fields: { accountType, usdtBalance }, extra }) => [
    ...(walletsWithColumn.includes(accountType) ? [] : [[accountType, usdtBalance] as const]),
    ...Object.entries(extra ?? {}).map(([field, value]) => [`${accountType}.${field}`, value] as const),
  ]);
  return unknown.length > 0 ? Object.fromEntries(unknown) : null;
}

export const equity = dataset({
  name: "equity",
  summary: "The value of the account in USDT, by wallet",
  key: [],
  columns,
  stableThrough: "complete",
  onRemoval: "end",
  sources: {
    v1: sourceFor(columns, {
      endpoint: null,
      needs: ["spot-assets", "mix-accounts", "prices"],
      data: z.unknown(),
      rows: (_data, context) => {
        const spot = valueInUsdt(context, "spot-assets", ["available", "frozen", "locked"]);
        const futures = reportedValue(context, "mix-accounts", "usdtEquity");
        const row = {
          ...totalOf([spot, futures]),
          spotUsdt: spot.value,
          futuresUsdt: futures.value,
          otherUsdt: null,
          ...notByWallet,
          ...notUnified,
        };
        return [{ row, extra: null }];
      },
    }),
    v2: sourceFor(columns, {
      endpoint: apiEndpoint("v2/equity", {
        path: "/api/v2/account/all-account-balance",
        perSecond: 1,
        params: [],
        summary: "the exchange's own valuation of every wallet",
      }),
      data: list(item({ accountType: name, usdtBalance: optionalDecimal }), namelessZero("accountType", "usdtBalance")),
      rows: (wallets) => {
        // A wallet that is not listed, or listed without a balance, is unknown, and so is every sum with it.
        const total = (isMeant: (accountType: string) => boolean): DecimalString | null => {
          const balances = wallets.filter(({ fields }) => isMeant(fields.accountType)).map((w) => w.fields.usdtBalance);
          return balances.length > 0 && balances.every((balance) => balance !== null) ? sum(balances) : null;
        };
        const wallet = ({ fields }: Wallet) => reportedValuation(fields.accountType, fields.usdtBalance);
        // Spot, futures and at least one other wallet are always listed; a missing one is unknown.
        const isListed = (isMeant: (accountType: string) => boolean) =>
          wallets.some(({ fields }) => isMeant(fields.accountType));
        const isOther = (type: string) => type !== "spot" && type !== "futures";
        const unlisted = [
          ...["spot", "futures"].filter((name) => !isListed((type) => type === name)),
          ...(isListed(isOther) ? [] : ["other"]),
        ];
        const row = {
          ...totalOf([...wallets.map(wallet), ...unlisted.map((name) => reportedValuation(name, null))]),
          spotUsdt: total((type) => type === "spot"),
          futuresUsdt: total((type) => type === "futures"),
          otherUsdt: total(isOther),
          fundingUsdt: total((type) => type === "funding"),
          earnUsdt: total((type) => type === "earn"),
          botsUsdt: total((type) => type === "bots"),
          marginUsdt: total((type) => type === "margin"),
          ...notUnified,
        };
        return [{ row, extra: unknownWallets(wallets) }];
      },
    }),
    v3: sourceFor(columns, {
      endpoint: unifiedAssetsEndpoint,
      needs: ["funding-assets", "prices"],
      data: item(
        {
          usdtEquity: decimal,
          btcEquity: optionalDecimal,
          accountEquity: optionalDecimal,
          effEquity: optionalDecimal,
          unrealisedPnl: optionalDecimal,
          usdtUnrealisedPnl: optionalDecimal,
          btcUnrealizedPnl: optionalDecimal,
          mmr: optionalDecimal,
          imr: optionalDecimal,
          mgnRatio: optionalDecimal,
          positionMgnRatio: optionalDecimal,
          positionValue: optionalDecimal,
          leverage: optionalDecimal,
          // The coins, which are part of spot-assets and mix-accounts.
          assets: z.unknown().optional(),
        },
        ["positionValue", "leverage"],
      ),
      rows: ({ fields: a, extra }, context) => {
        const funding = valueInUsdt(context, "funding-assets", ["available", "frozen"]);
        const row = {
          ...totalOf([reportedValuation("unified", a.usdtEquity), funding]),
          spotUsdt: null,
          futuresUsdt: null,
          otherUsdt: funding.value,
          ...notByWallet,
          fundingUsdt: funding.value,
          unifiedUsdt: a.usdtEquity,
          btcEquity: a.btcEquity,
          accountEquity: a.accountEquity,
          effectiveEquity: a.effEquity,
          unrealizedPl: a.unrealisedPnl,
          usdtUnrealizedPl: a.usdtUnrealisedPnl,
          btcUnrealizedPl: a.btcUnrealizedPnl,
          mmr: a.mmr,
          imr: a.imr,
          marginRatio: a.mgnRatio,
          positionMarginRatio: a.positionMgnRatio,
          positionValue: a.positionValue,
          leverage: a.leverage,
        };
        return [{ row, extra }];
      },
    }),
  },
});
