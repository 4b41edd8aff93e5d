/**
 * The type of an incremental dataset: records that the exchange lists by time and id and keeps for a while, such as the
 * entries of its ledger. Each is stored once, under the exchange's id; a run reads what is new and overlaps what it has.
 */
import type { ZodType } from "zod";
import type { Columns } from "../core/columns.ts";
import type { Address, ApiVersion, DatasetName, Item, Params, ProductType, Scope, Window } from "../core/domain.ts";
import { type Dataset, everyFiveMinutes, type ItemOf, once, readShape } from "./dataset.ts";

/** What the exchange's list of an endpoint allows. */
export interface ListLimits {
  /** The longest stretch that one call may ask for. Milliseconds. */
  spanMs: number;
  /** How long the exchange keeps a record. Milliseconds. */
  memoryMs: number;
  /** Rows of a full page: the greatest that is allowed. A page with fewer is the last one of its window. */
  pageSize: number;
}

/** The names of the parameters that choose a window and a page. */
export interface PageParams {
  from: string;
  to: string;
  limit: string;
  after: string;
}

/** The names that the lists of v2 have in common. */
export const idLessThan: PageParams = { from: "startTime", to: "endTime", limit: "limit", after: "idLessThan" };

/** How one API generation lists the records. */
export interface ListEndpoint<Data, C extends Columns> extends ListLimits {
  address: Address;
  /** One list each, with a watermark of its own; read at the same time. Default: one list for the whole account. */
  scopes?(productTypes: readonly ProductType[]): Scope[];
  params?(scope: Scope): Params;
  /** Default: those of v2. */
  page?: PageParams;
  data: ZodType<Data>;
  /** One item for every row, in the order of the answer: a page is the last one if it has too few. Pure. */
  rows(data: Data, scope: Scope): ItemOf<C>[];
  /**
   * The id to go on behind, where the answer names it and it is not that of the last row; null where it names none. Default: the
   * id of the last row, which the exchange goes on behind in either order.
   */
  cursor?(data: Data): string | null;
}

/** One page, read. */
export interface Page {
  items: Item[];
  /** The id to go on behind; null where there is none. */
  next: string | null;
}

export interface AnyListEndpoint extends ListLimits {
  address: Address;
  needs: readonly DatasetName[];
  scopes(productTypes: readonly ProductType[]): Scope[];
  /** The parameters of one page of a scope. */
  params(scope: Scope, window: Window): Params;
  /** @throws ShapeError naming the path and the first field that does not fit. */
  read(data: unknown, scope: Scope, onMissing?: (field: string) => void): Page;
}

interface Facts<C extends Columns> {
  mode: "incremental";
  name: DatasetName;
  summary: string;
  /** When it is collected unless the settings say otherwise: a cron pattern in UTC. */
  schedule: string;
  columns: C;
  /**
   * True for records whose state moves on, such as withdrawals: every state is kept and the newest is shown. Of all others a change is
   * kept as well, and reported.
   */
  changes?: true;
  public?: true;
}

export interface IncrementalDataset<C extends Columns = Columns> extends Facts<C> {
  /** The column with the exchange's id, unique within account and scope. */
  id: string;
  /** The column with the time by which the exchange lists records. */
  at: string;
  endpoints: Partial<Record<ApiVersion, AnyListEndpoint>>;
}

export type AnyDataset = Dataset | IncrementalDataset;

export interface IncrementalDeclaration<C extends Columns> extends Omit<Facts<C>, "mode" | "schedule"> {
  /** Default: every five minutes. */
  schedule?: string;
  id: keyof C & string;
  at: keyof C & string;
  // biome-ignore lint/suspicious/noExplicitAny: each endpoint has a data type of its own, checked where it is written
  endpoints: Partial<Record<ApiVersion, ListEndpoint<any, C>>>;
}

/** Fills the defaults of a declaration in, and ties each schema to its mapper. */
export function incrementalDataset<C extends Columns>(declaration: IncrementalDeclaration<C>): IncrementalDataset<C> {
  const endpoints: Partial<Record<ApiVersion, AnyListEndpoint>> = {};
  for (const version of Object.keys(declaration.endpoints) as ApiVersion[]) {
    const listed = declaration.endpoints[version];
    if (listed) endpoints[version] = listEndpoint(listed, declaration.id);
  }
  return { schedule: everyFiveMinutes, ...declaration, mode: "incremental", endpoints };
}

function listEndpoint<Data, C extends Columns>(listed: ListEndpoint<Data, C>, id: string): AnyListEndpoint {
  const { address, spanMs, memoryMs, pageSize, scopes = () => once, params = () => ({}), page = idLessThan } = listed;
  return {
    address,
    spanMs,
    memoryMs,
    pageSize,
    needs: [],
    scopes,
    params: (scope, { from, to, cursor }) => ({
      ...params(scope),
      [page.from]: String(from),
      [page.to]: String(to),
      [page.limit]: String(pageSize),
      ...(cursor === null ? {} : { [page.after]: cursor }),
    }),
    read: (data, scope, onMissing) =>
      readShape({ address, schema: listed.data, data, onMissing }, (shaped) => {
        const items = listed.rows(shaped, scope) as Item[];
        const last = (items.at(-1)?.row[id] ?? null) as string | null;
        return { items, next: listed.cursor ? listed.cursor(shaped) : last };
      }),
  };
}

/** Ties an endpoint's schema to its mapper and both to the columns. */
export const listOf = <Data, C extends Columns>(
  _columns: C,
  endpoint: ListEndpoint<Data, NoInfer<C>>,
): ListEndpoint<Data, C> => endpoint;
