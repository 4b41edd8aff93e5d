/** The coins of a unified account (v3), which are part of both `spot-assets` and `mix-accounts`. */
import { z } from "zod";
import { apiEndpoint } from "../bitget/endpoints.ts";
import { bulkSource } from "./bulk.ts";
import { allZero, coin, decimal, item, list, namelessZero, optionalDecimal } from "./fields.ts";

/** Returns the coins and the totals of the account in one response. */
export const unifiedAssetsEndpoint = apiEndpoint("v3/assets", {
  path: "/api/v3/account/assets",
  perSecond: 20,
  params: [],
  summary: "the unified wallet and its totals",
});

/**
 * Has the coins of the unified sub-accounts, without their totals. Whether a sub-account without coins is in it is not documented.
 * https://www.bitget.com/api-doc/uta/account/sub-account/Get-SubAccount-Unified-Assets
 */
export const unifiedSubAccounts = bulkSource({
  endpoint: apiEndpoint("v3/sub-assets", {
    path: "/api/v3/account/sub-unified-assets",
    perSecond: 1,
    params: ["subUid", "cursor", "limit"],
    summary: "the unified wallets of all sub-accounts of a main account",
  }),
  fields: { uid: "subUid", cursor: "cursor" },
  page: { size: 50, after: "cursor" },
  part: (row) => row,
});

const unifiedCoin = item(
  {
    coin,
    available: decimal,
    locked: optionalDecimal,
    balance: optionalDecimal,
    balanceOriginal: optionalDecimal,
    equity: optionalDecimal,
    usdValue: optionalDecimal,
    debt: optionalDecimal,
    bonus: optionalDecimal,
    interestBase: optionalDecimal,
  },
  ["balanceOriginal", "bonus", "interestBase"],
);

/**
 * Parses `data` of that endpoint without coins that are entirely zero; the account's totals are in `equity`.
 * The exchange itself omits zero balances. https://www.bitget.com/api-doc/uta/account/Get-Account
 */
export const unifiedWallet = z
  .object({
    assets: list(unifiedCoin, namelessZero("coin", "available", "locked", "balance", "equity", "debt")).nullable(),
  })
  .transform(({ assets }) =>
    (assets ?? []).filter(({ fields: c }) => !allZero(c.available, c.locked, c.balance, c.equity, c.debt)),
  );
