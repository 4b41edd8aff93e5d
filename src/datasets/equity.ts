/**
 * What the whole account is worth in USDT, over live money only. `usdtEquity` is the sum of the parts that are known,
 * and `complete` says whether that is all of them:
 *
 * v2 The exchange values every wallet itself.
 * v3 The exchange values the unified wallet (`unifiedUsdt`); the funding wallet is valued with `prices`.
 * v1 Nothing is asked: spot balances are valued with `prices`, futures accounts bring their `usdtEquity`. v1 cannot see
 *    the other wallets, so `otherUsdt` is unknown and `complete` speaks for spot and the configured futures lines.
 *
 * Sources: https://www.bitget.com/api-doc/common/account/All-Account-Balance,
 * https://www.bitget.com/api-doc/uta/account/Get-Account
 */
import { z } from "zod";
import { addresses } from "../bitget/addresses.ts";
import * as column from "../columns.ts";
import { sum } from "../decimal.ts";
import type { Digits, Extra } from "../domain.ts";
import { dataset, endpoint } from "./dataset.ts";
import { amount, digits, item, name } from "./shapes.ts";
import { moneyRows, sumOf, usdtPrices, usdtValue } from "./valuation.ts";

const columns = {
  usdtEquity: column.decimal().moves(),
  /** The parts of the total. A unified account has no separate spot and futures wallets. */
  spotUsdt: column.decimal().moves(),
  futuresUsdt: column.decimal().moves(),
  otherUsdt: column.decimal().moves(),
  /** 1 where every part is known. */
  complete: column.flag().notNull(),
  /** What `otherUsdt` is the sum of. */
  fundingUsdt: column.decimal().moves(),
  earnUsdt: column.decimal().moves(),
  botsUsdt: column.decimal().moves(),
  marginUsdt: column.decimal().moves(),
  /** The exchange's own figures of a unified account; in US dollars where no coin is named. */
  unifiedUsdt: column.decimal().moves(),
  btcEquity: column.decimal().moves(),
  accountEquity: column.decimal().moves(),
  /** What counts as collateral: not a balance. */
  effectiveEquity: column.decimal().moves(),
  unrealizedPl: column.decimal().moves(),
  usdtUnrealizedPl: column.decimal().moves(),
  btcUnrealizedPl: column.decimal().moves(),
  /** Maintenance and initial margin: money here, not rates. */
  mmr: column.decimal().moves(),
  imr: column.decimal().moves(),
  marginRatio: column.decimal().moves(),
  positionMarginRatio: column.decimal().moves(),
  positionValue: column.decimal().moves(),
  leverage: column.decimal().moves(),
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

/** The sum of what is known; null where nothing is. */
function sumOfKnown(parts: readonly (Digits | null)[]): Digits | null {
  const known = parts.filter((part) => part !== null);
  return known.length > 0 ? sum(known) : null;
}

/** 1 where every part is known. */
const completeness = (...parts: (Digits | null)[]): 0 | 1 => (parts.includes(null) ? 0 : 1);

interface Wallet {
  fields: { accountType: string; usdtBalance: Digits | null };
  extra: Extra;
}

const walletsWithColumn = ["spot", "futures", "funding", "earn", "bots", "margin"];

/** Wallets nobody here knows, by name, and unknown fields of the others: `{ "loans": "12.5", "spot.note": … }`. */
function unknownWallets(wallets: readonly Wallet[]): Extra {
  const unknown = wallets.flatMap(({ fields: { accountType, usdtBalance }, extra }) => [
    ...(walletsWithColumn.includes(accountType) ? [] : [[accountType, usdtBalance] as const]),
    ...Object.entries(extra ?? {}).map(([field, value]) => [`${accountType}.${field}`, value] as const),
  ]);
  return unknown.length > 0 ? Object.fromEntries(unknown) : null;
}

export const equity = dataset({
  name: "equity",
  summary: "What the account is worth in USDT, by wallet",
  key: [],
  columns,
  lastPublished: "complete",
  vanishes: "nothing",
  endpoints: {
    v1: endpoint(columns, {
      address: null,
      needs: ["spot-assets", "mix-accounts", "prices"],
      data: z.unknown(),
      rows: (_data, context) => {
        const spotUsdt = context.complete("spot-assets")
          ? usdtValue(moneyRows(context, "spot-assets"), ["available", "frozen", "locked"], usdtPrices(context))
          : null;
        const futuresUsdt = context.complete("mix-accounts")
          ? sumOf(moneyRows(context, "mix-accounts"), "usdtEquity")
          : null;
        const row = {
          usdtEquity: sumOfKnown([spotUsdt, futuresUsdt]),
          spotUsdt,
          futuresUsdt,
          otherUsdt: null,
          complete: completeness(spotUsdt, futuresUsdt),
          ...notByWallet,
          ...notUnified,
        };
        return [{ row, extra: null }];
      },
    }),
    v2: endpoint(columns, {
      address: addresses["v2/equity"],
      data: z.array(item({ accountType: name, usdtBalance: digits })),
      rows: (wallets) => {
        // a wallet that is not listed, or listed without a balance, is unknown; so is every sum with it
        const total = (isMeant: (accountType: string) => boolean): Digits | null => {
          const balances = wallets.filter(({ fields }) => isMeant(fields.accountType)).map((w) => w.fields.usdtBalance);
          return balances.length > 0 && balances.every((balance) => balance !== null) ? sum(balances) : null;
        };
        const spotUsdt = total((type) => type === "spot");
        const futuresUsdt = total((type) => type === "futures");
        const otherUsdt = total((type) => type !== "spot" && type !== "futures");
        const row = {
          usdtEquity: sumOfKnown([spotUsdt, futuresUsdt, otherUsdt]),
          spotUsdt,
          futuresUsdt,
          otherUsdt,
          complete: completeness(spotUsdt, futuresUsdt, otherUsdt),
          fundingUsdt: total((type) => type === "funding"),
          earnUsdt: total((type) => type === "earn"),
          botsUsdt: total((type) => type === "bots"),
          marginUsdt: total((type) => type === "margin"),
          ...notUnified,
        };
        return [{ row, extra: unknownWallets(wallets) }];
      },
    }),
    v3: endpoint(columns, {
      address: addresses["v3/assets"],
      needs: ["funding-assets", "prices"],
      data: item(
        {
          usdtEquity: amount,
          btcEquity: digits,
          accountEquity: digits,
          effEquity: digits,
          unrealisedPnl: digits,
          usdtUnrealisedPnl: digits,
          btcUnrealizedPnl: digits,
          mmr: digits,
          imr: digits,
          mgnRatio: digits,
          positionMgnRatio: digits,
          positionValue: digits,
          leverage: digits,
          // the coins, told by spot-assets and mix-accounts
          assets: z.unknown().optional(),
        },
        ["positionValue", "leverage"],
      ),
      rows: ({ fields: a, extra }, context) => {
        const fundingUsdt = context.complete("funding-assets")
          ? usdtValue(moneyRows(context, "funding-assets"), ["available", "frozen"], usdtPrices(context))
          : null;
        const row = {
          usdtEquity: sumOfKnown([a.usdtEquity, fundingUsdt]),
          spotUsdt: null,
          futuresUsdt: null,
          otherUsdt: fundingUsdt,
          complete: completeness(a.usdtEquity, fundingUsdt),
          ...notByWallet,
          fundingUsdt,
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
