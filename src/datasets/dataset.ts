/** The type of a dataset: a declaration of what is collected, from where, and how an answer becomes rows. */
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

/** One item of an answer in the dataset's columns; `extra` holds the fields that have none. */
export interface ItemOf<C extends Columns> {
  row: RowOf<C>;
  extra: Extra;
}

/** What a mapper may know besides the answer itself. */
export interface MapperInput {
  scope: Scope;
  /**
   * Last good rows of the datasets named in `needs`. Left out are scopes that are no longer current, and of a dataset that ran at
   * this slot, or was due then, those that this slot did not bring: old is not known.
   */
  known(dataset: DatasetName): KnownRows[];
  /** The same, however old: good for what to ask about, never for what to say. */
  lastKnown(dataset: DatasetName): KnownRows[];
  /** True while every scope of that dataset has such rows, so that a total over them is a total. */
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
  /** Null where nothing is requested because the rows are computed from other datasets. */
  endpoint: ApiEndpoint | null;
  /** One call each; asked at the same time. Default: one call for the whole account. */
  scopes?(productTypes: readonly ProductType[]): Scope[];
  params?(scope: Scope): Params;
  /** Datasets whose runs of the same slot must have ended before rows are made, because these build on theirs. */
  needs?: readonly DatasetName[];
  /** What the `data` of the envelope looks like. What does not fit fails the snapshot. */
  data: ZodType<Data>;
  /** The exchange's words into ours. Pure. A ZodError thrown here counts like one of `data`. */
  rows(data: Data, input: MapperInput): ItemOf<C>[];
  /** Where the key of a main account reads this for all of its sub-accounts; each has a part that looks like `data`. */
  subAccounts?: BulkSource;
}

export interface Dataset<C extends Columns = Columns> {
  /** Each run takes a snapshot of what there is; the other mode is in incremental.ts. */
  mode: "snapshot";
  name: DatasetName;
  summary: string;
  /** The default schedule: a cron pattern in UTC. */
  schedule: string;
  /** Columns that identify an item within a scope. Empty: the scope is the item. */
  key: readonly string[];
  columns: C;
  /** The column up to which programs may rely on the columns and their order in the views; those after it may change. */
  stableThrough: string;
  /**
   * What is stored when an item is in no later answer: `zero` writes one last row whose amounts are "0" (unknown ones
   * stay unknown), `nothing` just ends it.
   */
  onRemoval: "zeroRow" | "end";
  /** True for data that is the same for every account: asked once, recorded under the account `public`. */
  public?: true;
  /** True where each item has lifecycles, which the table `episode` keeps: positions alone. */
  episodes?: true;
  /** Addresses of the same subject that no run asks; the command `get` offers them. */
  otherEndpoints?: readonly ApiEndpoint[];
  sources: Partial<Record<ApiVersion, AnyDatasetSource>>;
}

/** An endpoint whose data type is its own affair. */
export interface AnyDatasetSource {
  endpoint: ApiEndpoint | null;
  scopes(productTypes: readonly ProductType[]): Scope[];
  params(scope: Scope): Params;
  needs: readonly DatasetName[];
  /**
   * Maps `data` of a response to columns. `onMissing` is called for each expected field that an item lacks.
   * @throws ShapeError naming the path and the first field that does not fit.
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

/** Fills the defaults of a declaration in, and ties each schema to its mapper. */
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
  /** Is called with each field that an item should have and lacks altogether. */
  onMissing?: ((field: string) => void) | undefined;
}

/** Returns what `map` makes of the data of an answer. @throws ShapeError naming the path and the first field that does not fit. */
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
  return new ShapeError(endpoint?.path ?? "computed", `data${field.join("")}`, issue?.message ?? "does not fit");
}

/** Ties an endpoint's schema to its mapper and both to the columns: the compiler names a column the mapper forgot. */
export const sourceFor = <Data, C extends Columns>(
  _columns: C,
  declaration: DatasetSource<Data, NoInfer<C>>,
): DatasetSource<Data, C> => declaration;

/** One call for each product type, which the parameter `param` names in the exchange's word for it. */
export const perProductType = (param: string, word: (productType: ProductType) => string) => ({
  scopes: (productTypes: readonly ProductType[]): Scope[] => [...productTypes],
  params: (scope: Scope): Params => ({ [param]: word(scope as ProductType) }),
});
