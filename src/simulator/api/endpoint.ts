/** Defines the endpoints of the simulated exchange, and what the three API versions share. */
import type { ApiVersion } from "../../core/domain.ts";
import { type AccountView, type FuturesAccount, futuresAccounts } from "../account/statement.ts";
import type { FuturesProduct } from "../market/futures-products.ts";
import type { Ticker } from "../market/tickers.ts";
import type { Truth } from "../record.ts";
import { refusals } from "../refusal.ts";

export type Query = Readonly<Record<string, string>>;

export interface ServedResponse {
  /** The `data` of the envelope. */
  data: unknown;
  /** The same as rows of the history; empty if the response contains no dataset. */
  truths: Truth[];
}

export const unrecorded = (data: unknown): ServedResponse => ({ data, truths: [] });

interface Facts {
  version: ApiVersion;
  path: string;
  /** The documented limit, per user for signed endpoints, per IP address for public ones. */
  perSecond: number;
}

/** The part of a view that is public; `now` is the exchange's clock. */
export type PublicView = Pick<AccountView, "market" | "instant"> & { now: number };

export interface SignedEndpoint extends Facts {
  signed: true;
  respond(view: AccountView, query: Query): ServedResponse;
}

export interface PublicEndpoint extends Facts {
  signed: false;
  respond(view: PublicView, query: Query): ServedResponse;
}

export type Endpoint = SignedEndpoint | PublicEndpoint;

/** Defines the endpoints of one API version: path, requests per second, responder. */
export const endpointsOf = (version: ApiVersion) => ({
  signed: (path: string, perSecond: number, respond: SignedEndpoint["respond"]): SignedEndpoint => ({
    version,
    path,
    perSecond,
    signed: true,
    respond,
  }),
  unsigned: (path: string, perSecond: number, respond: PublicEndpoint["respond"]): PublicEndpoint => ({
    version,
    path,
    perSecond,
    signed: false,
    respond,
  }),
});

/** Returns the value of a parameter. @throws Refusal if it is missing */
export function requiredParam(query: Query, name: string): string {
  const value = query[name];
  if (value === undefined || value === "") throw refusals.badParameter(name);
  return value;
}

/** Filters items by a parameter, ignoring case; returns all if the parameter is not set. */
export const matching = <Item>(items: Item[], wanted: string | undefined, of: (item: Item) => string): Item[] =>
  wanted === undefined ? items : items.filter((item) => of(item).toUpperCase() === wanted.toUpperCase());

/** Returns the account of a product type with the requested margin coin. @throws Refusal if there is none */
export function requestedAccount(view: AccountView, { code }: FuturesProduct, query: Query): FuturesAccount {
  const marginCoin = requiredParam(query, "marginCoin");
  const [found] = matching(futuresAccounts(view, code), marginCoin, (account) => account.marginCoin);
  if (!found) throw refusals.unknownParameter(marginCoin);
  return found;
}

/** Returns the tickers, or only the one of a symbol. @throws Refusal if there is none */
export function selectTickers(all: Ticker[], symbol: string | undefined): Ticker[] {
  const found = matching(all, symbol, (ticker) => ticker.symbol);
  if (symbol !== undefined && found.length === 0) throw refusals.unknownParameter(symbol);
  return found;
}
