/** What an address of the simulated exchange is, and what the three generations of them share. */
import type { ApiVersion } from "../domain.ts";
import type { Truth } from "./record.ts";
import { refusals } from "./refusal.ts";
import type { View } from "./statement.ts";
import type { Ticker } from "./tickers.ts";

export type Query = Readonly<Record<string, string>>;

export interface Told {
  /** The `data` of the envelope. */
  data: unknown;
  /** The same in the words of the history; none where the answer tells none of it. */
  truths: Truth[];
}

export const nothingOfIt = (data: unknown): Told => ({ data, truths: [] });

interface Facts {
  version: ApiVersion;
  path: string;
  /** Documented limit, per user where signed, else per internet address. */
  perSecond: number;
}

/** The part of a view that anybody may see; `now` is the exchange's clock. */
export type PublicView = Pick<View, "market" | "instant"> & { now: number };

export interface SignedEndpoint extends Facts {
  signed: true;
  answer(view: View, query: Query): Told;
}

export interface PublicEndpoint extends Facts {
  signed: false;
  answer(view: PublicView, query: Query): Told;
}

export type Endpoint = SignedEndpoint | PublicEndpoint;

/** A parameter's value; refused where it is missing. */
export function given(query: Query, name: string): string {
  const value = query[name];
  if (value === undefined || value === "") throw refusals.badParameter(name);
  return value;
}

/** Keeps the items that agree with a parameter, where that is given. */
export const matching = <Item>(items: Item[], wanted: string | undefined, of: (item: Item) => string): Item[] =>
  wanted === undefined ? items : items.filter((item) => of(item).toUpperCase() === wanted.toUpperCase());

/** Marks an answer that a parameter made smaller than its scope. */
export const part = (...filters: (string | undefined)[]): { partial?: true } =>
  filters.some((filter) => filter !== undefined) ? { partial: true } : {};

/** The tickers, or the one asked for. */
export function chosen(all: Ticker[], symbol: string | undefined): Ticker[] {
  const found = matching(all, symbol, (ticker) => ticker.symbol);
  if (symbol !== undefined && found.length === 0) throw refusals.unknownParameter(symbol);
  return found;
}
