/** The tax records of a classic account: its ledgers once more, under other ids and names, the oldest row of a page first. */
import type { AccountView } from "../../account/statement.ts";
import { typeOf, type WalletName } from "../../ledger/entry.ts";
import type { Posted } from "../../ledger/ledger.ts";
import { digits } from "../../market/amount.ts";
import { productOfCategory } from "../../market/futures-products.ts";
import { refusals } from "../../refusal.ts";
import { type Endpoint, endpointsOf, type Query, requiredParam, type ServedResponse, unrecorded } from "../endpoint.ts";
import { isOf, type ListRules, pageOf, v2Rules } from "./paging.ts";
import { longDigits } from "./shared.ts";

const { signed } = endpointsOf("v2");

export const taxLists: readonly Endpoint[] = [
  signed("/api/v2/tax/spot-record", 1, spot),
  signed("/api/v2/tax/future-record", 1, futures),
  signed("/api/v2/tax/margin-record", 1, margin),
  signed("/api/v2/tax/p2p-record", 1, peerToPeer),
];

const rules: ListRules = {
  ...v2Rules,
  spanDays: 30,
  retentionDays: 731,
  pageSize: { default: 500, max: 500 },
  needsTimes: true,
  isOldestFirst: true,
};

function pageOfWallet(view: AccountView, wallet: WalletName, query: Query, coin: string | undefined): Posted[] {
  const rows = view.state.book.ledger("classic").rows(wallet);
  const items = rows.map((posted) => ({ ...posted, id: `7${posted.id}` }));
  return pageOf(view, { items, isWanted: ({ entry }) => isOf(coin, entry.coin), query, rules });
}

/** Spells a type of the ledger as the tax records do: `ORDER_DEALT_IN` is `Order dealt in`. */
function spelled(type: string): string {
  const words = type.toLowerCase().replace(/[-_]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function spot(view: AccountView, query: Query): ServedResponse {
  return unrecorded(
    pageOfWallet(view, "spot", query, query.coin).map(({ id, at, balance, entry }) => ({
      id,
      coin: entry.coin,
      spotTaxType: spelled(typeOf(entry, "classic")),
      amount: longDigits(entry.amount),
      fee: longDigits(entry.fee),
      balance: longDigits(balance - (entry.frozen ?? 0n)),
      ts: String(at),
      ...(entry.orderId === undefined ? {} : { bizOrderId: entry.orderId }),
    })),
  );
}

function futures(view: AccountView, query: Query): ServedResponse {
  const product = productOfCategory(query.productType ?? "USDT-FUTURES");
  if (!product) throw refusals.badParameter("productType");
  const page = product.live ? pageOfWallet(view, product.code, query, query.marginCoin) : [];
  return unrecorded(
    page.map(({ id, at, entry }) => ({
      id,
      symbol: entry.symbol ?? "",
      marginCoin: entry.coin,
      futureTaxType: typeOf(entry, "classic"),
      amount: digits(entry.amount),
      fee: digits(entry.fee),
      ts: String(at),
    })),
  );
}

/** Serves the records of all isolated pairs in one list; the simulated account does not use cross margin. */
function margin(view: AccountView, query: Query): ServedResponse {
  const { marginType = "crossed" } = query;
  if (!["crossed", "isolated"].includes(marginType)) throw refusals.badParameter("marginType");
  const ledger = view.state.book.ledger("classic");
  const pairs = marginType === "isolated" ? [...(view.state.margin ?? [])].map(([name]) => name) : [];
  const items = pairs
    .flatMap((pair) => ledger.rows(pair).map((posted) => ({ ...posted, id: `7${posted.id}`, pair })))
    .sort(({ at, id }, other) => at - other.at || (id < other.id ? -1 : 1));
  const page = pageOf(view, { items, isWanted: ({ entry }) => isOf(query.coin, entry.coin), query, rules });
  return unrecorded(
    page.map(({ id, at, balance, entry, pair }) => ({
      id,
      coin: entry.coin,
      symbol: pair.slice("margin-isolated/".length),
      marginTaxType: typeOf(entry, "classic"),
      amount: digits(entry.amount),
      fee: digits(entry.fee),
      total: digits(balance),
      ts: String(at),
    })),
  );
}

/** Serves P2P trades, which the simulated account does not make. */
function peerToPeer(_view: AccountView, query: Query): ServedResponse {
  for (const name of ["startTime", "endTime"]) requiredParam(query, name);
  return unrecorded([]);
}
