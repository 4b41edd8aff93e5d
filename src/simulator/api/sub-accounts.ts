/** Responses that contain all sub-accounts of a main account, and their list. Deleted sub-accounts are in the list of v2 alone. */
import {
  type AccountView,
  type FuturesAccount,
  futuresAccounts,
  type SubView,
  spotBalances,
} from "../account/statement.ts";
import { unifiedWallet } from "../account/unified.ts";
import { productOfCategory } from "../market/futures-products.ts";
import { accountRows, spotRows, unifiedAccountRows, unifiedSpotRows } from "../record.ts";
import { refusals } from "../refusal.ts";
import { type Endpoint, endpointsOf, type Query, requiredParam, type ServedResponse, unrecorded } from "./endpoint.ts";
import { assetData } from "./v3.ts";

const v2 = endpointsOf("v2");
const v3 = endpointsOf("v3");

export const subAccountEndpoints: readonly Endpoint[] = [
  v2.signed("/api/v2/user/virtual-subaccount-list", 1, virtualList),
  v2.signed("/api/v2/spot/account/subaccount-assets", 10, spotOfAll),
  v2.signed("/api/v2/mix/account/sub-account-assets", 0.1, futuresOfAll),
  v3.signed("/api/v3/user/sub-list", 10, list),
  v3.signed("/api/v3/account/sub-unified-assets", 1, unifiedOfAll),
];

interface Page {
  rows: SubView[];
  /** The position of the last row, newest first; null on an empty page. */
  cursor: string | null;
  isLast: boolean;
}

/** Every sub-account has a position, which falls from the newest to the oldest. */
const positionOf = ({ facts }: SubView, all: readonly SubView[]): number =>
  1000 + all.findIndex((one) => one.facts.uid === facts.uid);

function pageOf(
  view: AccountView,
  rows: SubView[],
  { after, limit }: Record<"after" | "limit", string | undefined>,
  most: number,
): Page {
  const size = Number(limit ?? Math.min(100, most));
  if (!(size >= 1 && size <= most)) throw refusals.badParameter("limit");
  const position = (one: SubView) => positionOf(one, view.subAccounts);
  const rest = rows
    .sort((one, other) => position(other) - position(one))
    .filter((one) => after === undefined || position(one) < Number(after));
  const page = rest.slice(0, size);
  const last = page.at(-1);
  return { rows: page, cursor: last ? String(position(last)) : null, isLast: rest.length === page.length };
}

/** Only the key of a main account may ask. */
function subAccountsOf(view: AccountView): SubView[] {
  if (view.parent !== null) throw refusals.isSubAccount();
  return [...view.subAccounts];
}

const existing = (view: AccountView, mode: "classic" | "unified"): SubView[] =>
  subAccountsOf(view).filter(({ facts }) => facts.mode === mode && facts.state !== "del");

/** Has virtual sub-accounts only, and not their mode; refused to a key that is not bound to an address. */
function virtualList(view: AccountView, { idLessThan, limit, status }: Query): ServedResponse {
  const all = subAccountsOf(view);
  if (view.addresses === "") throw refusals.notPermitted("binding IP");
  const virtual = all.filter(
    ({ facts }) =>
      (facts.type ?? "virtual") === "virtual" && (status ?? facts.state ?? "normal") === (facts.state ?? "normal"),
  );
  const { rows, cursor } = pageOf(view, virtual, { after: idLessThan, limit }, 500);
  return unrecorded({
    endId: cursor === null ? null : Number(cursor),
    subAccountList: rows.map(({ facts }) => ({
      subAccountUid: facts.uid,
      subAccountName: `${facts.name.slice(0, 3)}****@virtual-bitget.com`,
      status: facts.state ?? "normal",
      permList: ["read"],
      label: facts.label ?? "",
      cTime: "1653287983475",
      uTime: "1682660169573",
    })),
  });
}

const types = { virtual: "VIRTUAL_CHILD", common: "COMMON" };

function list(view: AccountView, { cursor: after, limit }: Query): ServedResponse {
  const all = subAccountsOf(view).filter(({ facts }) => facts.state !== "del");
  const { rows, cursor, isLast } = pageOf(view, all, { after, limit }, 100);
  return unrecorded({
    list: rows.map(({ facts }) => ({
      subUid: facts.uid,
      username: `${facts.name.slice(0, 3)}****@virtual-bitget.com`,
      status: facts.state ?? "normal",
      accountMode: facts.mode.toUpperCase(),
      type: types[facts.type ?? "virtual"],
      note: facts.label ?? "",
      createdTime: "1740129303268",
      updatedTime: "1740129303268",
    })),
    hasNext: !isLast,
    cursor,
  });
}

/** Leaves out sub-accounts that hold nothing. */
function spotOfAll(view: AccountView, { idLessThan, limit }: Query): ServedResponse {
  const heldBy = ({ view: own }: SubView) => spotBalances(own()).filter(({ isZero }) => !isZero);
  const holding = existing(view, "classic").filter((one) => heldBy(one).length > 0);
  const { rows } = pageOf(view, holding, { after: idLessThan, limit: limit ?? "10" }, 50);
  return {
    data: rows.map((one) => ({
      id: positionOf(one, view.subAccounts),
      userId: Number(one.facts.uid),
      assetsList: heldBy(one).map(({ coin, available, frozen, locked, updatedAt }) => ({
        coin,
        available,
        limitAvailable: "0",
        frozen,
        locked,
        uTime: String(updatedAt),
      })),
    })),
    truths: rows.map((one) => ({
      dataset: "spot-assets",
      scope: null,
      rows: spotRows(heldBy(one)),
      subAccount: one.facts.uid,
    })),
  };
}

/** Leaves out sub-accounts that never used the product type. */
function futuresOfAll(view: AccountView, query: Query): ServedResponse {
  const product = productOfCategory(requiredParam(query, "productType"));
  if (!product) throw refusals.badParameter("productType");
  const rows = existing(view, "classic")
    .map((one) => ({ uid: one.facts.uid, accounts: futuresAccounts(one.view(), product.code) }))
    .filter(({ accounts }) => accounts.length > 0);
  return {
    data: rows.map(({ uid, accounts }) => ({ userId: Number(uid), assetList: accounts.map(futuresData) })),
    truths: rows.map(({ uid, accounts }) => ({
      dataset: "mix-accounts",
      scope: product.code,
      rows: accountRows(product.code, accounts).map((row) => ({ ...row, cross_risk_rate: null })),
      subAccount: uid,
    })),
  };
}

const futuresData = (account: FuturesAccount) => ({
  marginCoin: account.marginCoin,
  locked: account.locked,
  available: account.available,
  crossedMaxAvailable: account.openable,
  isolatedMaxAvailable: account.openable,
  maxTransferOut: account.transferable,
  accountEquity: account.equity,
  usdtEquity: account.usdtEquity,
  btcEquity: account.btcEquity,
  unrealizedPL: account.unrealized ?? "",
  coupon: "",
});

function unifiedOfAll(view: AccountView, { subUid, cursor: after, limit }: Query): ServedResponse {
  const chosen = existing(view, "unified").filter(({ facts }) => subUid === undefined || facts.uid === subUid);
  const { rows } = pageOf(view, chosen, { after, limit: limit ?? "10" }, 50);
  const wallets = rows.map((one) => ({ one, assets: unifiedWallet(one.view()).assets }));
  return {
    data: wallets.map(({ one, assets }) => ({
      subUid: one.facts.uid,
      cursor: String(positionOf(one, view.subAccounts)),
      assets: assets.map((asset) => {
        const { coin, equity, usdValue, balance, available, debt, locked } = assetData(asset);
        return { coin, equity, usdValue, balance, available, debt, locked };
      }),
    })),
    truths: wallets.flatMap(({ one: { facts }, assets }) => [
      { dataset: "spot-assets", scope: null, rows: unifiedSpotRows(assets), subAccount: facts.uid },
      { dataset: "mix-accounts", scope: "unified" as const, rows: unifiedAccountRows(assets), subAccount: facts.uid },
    ]),
  };
}
