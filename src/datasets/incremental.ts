/**
 * Declares incremental datasets: records that the exchange lists by time and id and deletes after some time, such as bills. Each
 * record is stored once, under the exchange's id; a run reads new records and again the last ones before them.
 */
import type { ZodType } from "zod";
import type { Columns } from "../core/columns.ts";
import type { ApiEndpoint, ApiVersion, DatasetName, Item, Params, ProductType, Scope, Window } from "../core/domain.ts";
import { dayMs, minuteMs } from "../core/time.ts";
import {
  type AnyDatasetSource,
  type Dataset,
  everyFiveMinutes,
  type ItemOf,
  parseData,
  wholeAccount,
} from "./dataset.ts";
import { missingFields } from "./fields.ts";

/** The limits of an endpoint that lists records. */
export interface ListLimits {
  /** The longest window of one request. Milliseconds. */
  spanMs: number;
  /** How long the exchange keeps a record. Milliseconds. */
  retentionMs: number;
  /** The largest allowed number of rows of a page; a page with fewer is the last one of its window. */
  pageSize: number;
}

/** A list with how far back every run reads it again, because records appear later than their own time. */
export interface ListRules extends ListLimits {
  /** Milliseconds. */
  overlapMs: number;
}

/** The names of the parameters that select a window and a page. */
export interface PageParams {
  from: string;
  to: string;
  limit: string;
  after: string;
}

/** The parameter names of the lists of v2. */
export const idLessThan: PageParams = { from: "startTime", to: "endTime", limit: "limit", after: "idLessThan" };

/**
 * A list of the parts of a wallet that have lists of their own, such as the pairs of isolated margin. Its own scope is that of the source;
 * those of the parts begin with it and a slash.
 */
export interface PartsList {
  endpoint: ApiEndpoint;
  /** Parses the response, and returns the scopes of the parts. @throws ShapeError with the path and the first field that does not match */
  read(data: unknown): Scope[];
}

/** Declares a list of parts. `scopes` may repeat one. */
export const partsList = <Data>(endpoint: ApiEndpoint, schema: ZodType<Data>, scopes: (data: Data) => Scope[]) => ({
  endpoint,
  read: (data: unknown): Scope[] => parseData({ endpoint, schema, data }, (shaped) => [...new Set(scopes(shaped))]),
});

/** How one API version lists the records. */
export interface ListSource<Data, C extends Columns> extends ListLimits {
  endpoint: ApiEndpoint;
  /** Returns the scopes, which are read concurrently and have separate watermarks. Default: one for the whole account. */
  scopes?(productTypes: readonly ProductType[]): Scope[];
  params?(scope: Scope): Params;
  /** Lists the scopes that have records, where the account decides which there are. Default: `scopes` says them. */
  parts?: PartsList;
  /** Default: those of v2. */
  page?: PageParams;
  data: ZodType<Data>;
  /** Returns one item per row, in the order of the response; their number determines whether the page is full. Pure. */
  rows(data: Data, scope: Scope): ItemOf<C>[];
  /**
   * Returns the cursor of the next page, or null if the response has none. Default: the id of the last row, whatever the order of
   * the rows.
   */
  cursor?(data: Data): string | null;
}

/** One parsed page. */
export interface Page {
  items: Item[];
  /** The cursor of the next page; null if there is none. */
  next: string | null;
}

/** A list with its response type erased, for lists of different sources. */
export interface AnyListSource extends ListRules {
  endpoint: ApiEndpoint;
  needs: readonly DatasetName[];
  scopes(productTypes: readonly ProductType[]): Scope[];
  /** Null: the list is that of the scope itself. */
  parts: PartsList | null;
  /** Returns the parameters of one page of a scope. */
  params(scope: Scope, window: Window): Params;
  /** Parses a page. @throws ShapeError with the path and the first field that does not match */
  read(data: unknown, scope: Scope, onMissing?: (field: string) => void): Page;
}

interface Facts<C extends Columns> {
  mode: "incremental";
  name: DatasetName;
  summary: string;
  /** The default schedule: a cron pattern in UTC. */
  schedule: string;
  columns: C;
  /** The column of the view that names the scope: its wallet or its product type. Default: the view has none. */
  scopeColumn?: "wallet" | "product_type";
  /** Columns that the view computes, by the column that they follow. */
  computed?: Readonly<Record<string, ComputedColumn>>;
  /**
   * True for records whose state changes, such as withdrawals: every state is stored and the newest is shown. A change of other
   * records is also stored, and logged as a warning.
   */
  changes?: true;
  /** True for entries of a ledger, with the balance after each: they are reconciled with the snapshots. */
  isLedger?: true;
  /** True for closed positions: the episodes of positions get their results from them. */
  endsEpisodes?: true;
  public?: true;
}

/** A column of the view that is not stored. */
export interface ComputedColumn {
  name: string;
  type: "text" | "decimal";
  /** What it means, for the data dictionary. */
  text: string;
  /** Returns its SQL expression. `column` returns that of a stored column; `change` is that of what the entry changed the balance by. */
  sql(column: (name: string) => string, change: string): string;
}

export interface IncrementalDataset<C extends Columns = Columns> extends Facts<C> {
  /** The column with the exchange's id, unique within account and scope. */
  id: string;
  /** The column with the time by which the exchange lists records. */
  at: string;
  /** The column up to which programs may rely on the columns and their order in the view; those after it may change. */
  stableThrough: string;
  /** Several lists where no single endpoint has all records; each has scopes of its own. */
  sources: Partial<Record<ApiVersion, readonly AnyListSource[]>>;
}

export type AnyDataset = Dataset | IncrementalDataset;

/** Returns the sources of a dataset: those of an API version, or of all without one. */
export const sourcesOf = (dataset: AnyDataset, version?: ApiVersion): (AnyDatasetSource | AnyListSource)[] =>
  (version ? [dataset.sources[version] ?? []] : Object.values(dataset.sources)).flat();

export interface IncrementalDeclaration<C extends Columns> extends Omit<Facts<C>, "mode" | "schedule"> {
  /** Default: every five minutes. */
  schedule?: string;
  id: keyof C & string;
  at: keyof C & string;
  stableThrough: keyof C & string;
  // biome-ignore lint/suspicious/noExplicitAny: each endpoint has a data type of its own, checked where it is written
  sources: Partial<Record<ApiVersion, readonly ListSource<any, C>[]>>;
}

/** Creates a dataset from its declaration: applies the defaults and combines each schema with its mapper. */
export function incrementalDataset<C extends Columns>(declaration: IncrementalDeclaration<C>): IncrementalDataset<C> {
  const sources: Partial<Record<ApiVersion, readonly AnyListSource[]>> = {};
  for (const version of Object.keys(declaration.sources) as ApiVersion[])
    sources[version] = (declaration.sources[version] ?? []).map((source) => bindListSource(source, declaration));
  return { schedule: everyFiveMinutes, ...declaration, mode: "incremental", sources };
}

/** How long after its own time a record may appear: every run reads so far back again. Milliseconds. */
export const lateRecordMs = 10 * minuteMs;

/** How far back the lists of records whose state changes are read again by every run. Milliseconds. */
const changesOverlapMs = 3 * dayMs;

function bindListSource<Data, C extends Columns>(
  source: ListSource<Data, C>,
  { id, changes }: Pick<IncrementalDeclaration<C>, "id" | "changes">,
): AnyListSource {
  const { endpoint, spanMs, retentionMs, pageSize, scopes = () => wholeAccount, params = () => ({}) } = source;
  const { page = idLessThan, parts = null } = source;
  return {
    endpoint,
    spanMs,
    retentionMs,
    pageSize,
    overlapMs: changes ? changesOverlapMs : lateRecordMs,
    needs: [],
    scopes,
    parts,
    params: (scope, { from, to, cursor }) => ({
      ...params(scope),
      [page.from]: String(from),
      [page.to]: String(to),
      [page.limit]: String(pageSize),
      ...(cursor === null ? {} : { [page.after]: cursor }),
    }),
    read: (data, scope, onMissing) =>
      parseData({ endpoint, schema: source.data, data }, (shaped) => {
        // The data is a list, or an object that contains one.
        if (onMissing) missingFields(Object.values(shaped as object).flat()).forEach(onMissing);
        const items = source.rows(shaped, scope) as Item[];
        const last = (items.at(-1)?.row[id] ?? null) as string | null;
        return { items, next: source.cursor ? source.cursor(shaped) : last };
      }),
  };
}

/** Declares a list source with type checks: the compiler reports a column that the mapper omits. */
export const listSourceFor = <Data, C extends Columns>(
  _columns: C,
  source: ListSource<Data, NoInfer<C>>,
): ListSource<Data, C> => source;
