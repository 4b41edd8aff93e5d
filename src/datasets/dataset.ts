/** Declares datasets: what is collected, from which endpoints, and how a response is mapped to rows. */
import { ZodError, type ZodType } from "zod";
import type { Columns, RowOf } from "../core/columns.ts";
import type {
  ApiEndpoint,
  ApiVersion,
  DatasetName,
  Extra,
  Item,
  KnownRows,
  Params,
  ProductType,
  Scope,
} from "../core/domain.ts";
import { ShapeError } from "../core/errors.ts";
import { missingFields } from "./fields.ts";

/** One item of a response in the dataset's columns; `extra` holds the fields without a column. */
export interface ItemOf<C extends Columns> {
  row: RowOf<C>;
  extra: Extra;
}

/** The input of a mapper, in addition to the response. */
export interface MapperInput {
  scope: Scope;
  /**
   * Returns the last good rows of a dataset named in `needs`, without scopes that are no longer current. Of a dataset that ran at
   * this slot, or was due then, only the scopes of this slot are returned, because older rows do not count as known.
   */
  known(dataset: DatasetName): KnownRows[];
  /** Returns the same rows however old they are: use them only to choose what to request or keep, never as a value. */
  lastKnown(dataset: DatasetName): KnownRows[];
  /** Returns whether `known` has every scope of that dataset, so that a sum over its rows is complete. */
  complete(dataset: DatasetName): boolean;
}

/** The part of one sub-account in a response that contains all of them. */
export interface BulkRow {
  /** The exchange's id of the user. */
  uid: string;
  /** Continues after this row; null where the endpoint has no pages or the row does not contain it. */
  cursor: string | null;
  /** Looks like `data` of the endpoint that reads one account with its own key. */
  data: unknown;
}

/** Where the key of a main account reads something for all of its sub-accounts; `bulk.ts` declares them. */
export interface BulkSource {
  endpoint: ApiEndpoint;
  /** The most sub-accounts of a page (`limit`), and the parameter with the cursor of the last one; null: one page contains all. */
  page: { size: number; after: string } | null;
  /** True where the exchange documents that sub-accounts that hold nothing are left out. */
  omitsEmpty: boolean;
  /** Fields of `data` that are documented for an account with its own key only. */
  lacks: readonly string[];
  /** @throws ShapeError naming the path and the first field that does not fit */
  rows(data: unknown): BulkRow[];
}

/** Where one API version provides a dataset, and how its response is mapped. */
export interface DatasetSource<Data, C extends Columns> {
  /** Null if nothing is requested because the rows are computed from other datasets. */
  endpoint: ApiEndpoint | null;
  /** Returns the scopes, one request each, sent concurrently. Default: one request for the whole account. */
  scopes?(productTypes: readonly ProductType[]): Scope[];
  params?(scope: Scope): Params;
  /** Datasets whose runs of the same slot must have ended before rows are mapped, because the mapper uses their rows. */
  needs?: readonly DatasetName[];
  /** The schema of `data` in the envelope. A response that does not match fails the snapshot. */
  data: ZodType<Data>;
  /** Maps fields of the exchange to columns. Pure. A ZodError thrown here counts like one of `data`. */
  rows(data: Data, input: MapperInput): ItemOf<C>[];
  /** Where the key of a main account reads this for all of its sub-accounts; each has a part that looks like `data`. */
  subAccounts?: BulkSource;
}

export interface Dataset<C extends Columns = Columns> {
  /** Each run records the complete state; the other mode is in incremental.ts. */
  mode: "snapshot";
  name: DatasetName;
  summary: string;
  /** The default schedule: a cron pattern in UTC. */
  schedule: string;
  /** Columns that identify an item within a scope; empty if the scope is the item. */
  key: readonly string[];
  columns: C;
  /** The column up to which programs may rely on the columns and their order in the views; those after it may change. */
  stableThrough: string;
  /**
   * What is stored when an item is no longer listed: `zeroRow` writes one last row whose amounts are "0" (unknown ones stay
   * unknown), `end` writes nothing.
   */
  onRemoval: "zeroRow" | "end";
  /** True for data that is the same for every account: requested once, recorded under the account `public`. */
  public?: true;
  /** True if the lifecycles of items are recorded in the table `episode`: positions only. */
  episodes?: true;
  /** Related endpoints that no run requests; the command `get` offers them. */
  otherEndpoints?: readonly ApiEndpoint[];
  sources: Partial<Record<ApiVersion, AnyDatasetSource>>;
}

/** A source with its response type erased, for lists of different sources. */
export interface AnyDatasetSource {
  endpoint: ApiEndpoint | null;
  scopes(productTypes: readonly ProductType[]): Scope[];
  params(scope: Scope): Params;
  needs: readonly DatasetName[];
  /**
   * Maps `data` of a response to columns. Calls `onMissing` for each expected field that an item lacks.
   * @throws ShapeError with the path and the first field that does not match
   */
  items(data: unknown, input: MapperInput, onMissing?: (field: string) => void): Item[];
  /** Undefined where a sub-account can only be read with a key of its own. */
  subAccounts: BulkSource | undefined;
}

export interface Declaration<C extends Columns>
  extends Omit<Dataset<C>, "mode" | "key" | "stableThrough" | "sources" | "schedule"> {
  /** Default: every five minutes. */
  schedule?: string;
  key: readonly (keyof C & string)[];
  stableThrough: keyof C & string;
  // biome-ignore lint/suspicious/noExplicitAny: each endpoint has a data type of its own, checked where it is written
  sources: Partial<Record<ApiVersion, DatasetSource<any, C>>>;
}

export const wholeAccount: Scope[] = [null];
export const everyFiveMinutes = "*/5 * * * *";

/** Creates a dataset from its declaration: applies the defaults and combines each schema with its mapper. */
export function dataset<C extends Columns>(declaration: Declaration<C>): Dataset<C> {
  const sources: Partial<Record<ApiVersion, AnyDatasetSource>> = {};
  for (const version of Object.keys(declaration.sources) as ApiVersion[]) {
    const source = declaration.sources[version];
    if (!source) continue;
    const {
      endpoint,
      scopes = () => wholeAccount,
      params = () => ({}),
      needs = [],
      data: schema,
      rows,
      subAccounts,
    } = source;
    const items: AnyDatasetSource["items"] = (data, input, onMissing) =>
      parseData({ endpoint, schema, data, onMissing }, (read) => rows(read, input) as Item[]);
    sources[version] = { endpoint, scopes, params, needs, items, subAccounts };
  }
  return { schedule: everyFiveMinutes, ...declaration, mode: "snapshot", sources };
}

interface ParseInput<Data> {
  endpoint: ApiEndpoint | null;
  schema: ZodType<Data>;
  data: unknown;
  /** Called with each expected field that an item lacks. */
  onMissing?: ((field: string) => void) | undefined;
}

/** Parses the data of a response and returns the result of `map`. @throws ShapeError with the path and the first field that does not match */
export function parseData<Data, Result>(
  { endpoint, schema, data, onMissing }: ParseInput<Data>,
  map: (data: Data) => Result,
): Result {
  try {
    const read = schema.parse(data);
    if (onMissing) missingFields(read).forEach(onMissing);
    return map(read);
  } catch (error) {
    throw error instanceof ZodError ? toShapeError(endpoint, error) : error;
  }
}

function toShapeError(endpoint: ApiEndpoint | null, { issues: [issue] }: ZodError): ShapeError {
  const field = (issue?.path ?? []).map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`));
  return new ShapeError(endpoint?.path ?? "computed", `data${field.join("")}`, issue?.message ?? "does not match");
}

/** Declares a source with type checks: the compiler reports a column that the mapper omits. */
export const sourceFor = <Data, C extends Columns>(
  _columns: C,
  declaration: DatasetSource<Data, NoInfer<C>>,
): DatasetSource<Data, C> => declaration;

/** Declares one request per product type, passed in the parameter `param` in the exchange's spelling. */
export const perProductType = (param: string, spelling: (productType: ProductType) => string) => ({
  scopes: (productTypes: readonly ProductType[]): Scope[] => [...productTypes],
  params: (scope: Scope): Params => ({ [param]: spelling(scope as ProductType) }),
});
