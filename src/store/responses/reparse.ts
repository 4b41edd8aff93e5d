/** Parses a stored raw response with the current parser. */
import { parseResponse } from "../../bitget/wire/envelope.ts";
import type { KnownRows, Scope } from "../../core/domain.ts";
import { ShapeError } from "../../core/errors.ts";
import type { BulkSource, Dataset, MapperInput } from "../../datasets/dataset.ts";
import { type ItemParts, layoutOf, partsByKey, rowOf, type StorageLayout } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { unpack } from "./archive.ts";

/** Identifies the responses of one run and scope: account, product type ('' for the whole account) and slot (epoch ms). */
export interface RequestKey {
  account: string;
  productType: string;
  slot: number;
}

/** The content of a response that was parsed again. */
export interface Reparsed {
  /** By the text of their keys. */
  rows: Map<string, ItemParts>;
  /** The time in the response by the exchange's clock, epoch ms; null without one. */
  requestTime: number | null;
}

/** Thrown if rows were also computed from other data than their own response. */
export class ComputedError extends Error {}

/** A response in the archive. */
export interface StoredResponse {
  address: string;
  status: number;
  digest: Buffer;
  packed: Buffer;
}

/**
 * Returns a function that parses the last response of a run and scope, which became its snapshot or made it fail. `stored` are the
 * rows of the snapshot, null if it failed. The function returns null if the response is not kept or was altered. It throws a
 * ComputedError, or the error that the collector would report.
 */
export function prepareReparse(
  raw: Sqlite,
  dataset: Dataset,
): (request: RequestKey, stored: ReadonlyMap<string, ItemParts> | null) => Reparsed | null {
  const layout = layoutOf(dataset);
  const find = raw.prepare<unknown[], StoredResponse>(
    `select s.address, w.status, b.digest, b.packed
     from source s join answer w on w.source_id = s.id and w.slot = @slot join body b on b.id = w.body_id
     where s.dataset = '${dataset.name}' and s.account = @account and s.product_type = @productType
     order by w.number desc limit 1`,
  );
  return ({ account, productType, slot }, stored) => {
    const response = find.get({ account, productType, slot });
    const body = response && bodyOf(response);
    return response && body ? parse(layout, { account, productType, slot }, { ...response, body }, stored) : null;
  };
}

/** Returns the body of a response; null if it was altered. */
export function bodyOf({ packed, digest }: Pick<StoredResponse, "packed" | "digest">): Buffer | null {
  try {
    return unpack(packed, digest);
  } catch {
    return null;
  }
}

function parse(
  layout: StorageLayout,
  { account, productType, slot }: RequestKey,
  { address, status, body }: { address: string; status: number; body: Buffer },
  stored: ReadonlyMap<string, ItemParts> | null,
): Reparsed {
  const source = Object.values(layout.dataset.sources).find(
    ({ endpoint, subAccounts }) => endpoint?.name === address || subAccounts?.endpoint.name === address,
  );
  if (!source) throw new Error(`${layout.dataset.name} has no endpoint ${address} in this version`);
  const bulk = source.endpoint?.name === address ? undefined : source.subAccounts;
  const { data, requestTime } = parsedResponse(source.endpoint?.path ?? address, { status, body, slot });
  const scope = (productType || null) as Scope;
  const own = bulk ? partOf(bulk, data, account) : data;
  return { rows: partsByKey(layout, source.items(own, mapperInput(layout, scope, stored))), requestTime };
}

/** Returns what a response contains. @throws CollectorError as the collector would */
export const parsedResponse = (path: string, { status, body, slot }: { status: number; body: Buffer; slot: number }) =>
  parseResponse(
    { status, contentType: "", retryAfter: null, body },
    { path, now: slot, redact: (text: string) => text },
  );

/** Returns the part of a sub-account in the response for all of them. @throws ShapeError where it has none */
function partOf(bulk: BulkSource, data: unknown, account: string): unknown {
  const found = bulk.rows(data).find(({ uid }) => account.endsWith(`/${uid}`));
  if (!found) throw new ShapeError(bulk.endpoint.path, "data", `does not contain ${account}`);
  return found.data;
}

/** Returns the input of the mapper: requested coins follow from the stored rows; other datasets are not available. */
function mapperInput(layout: StorageLayout, scope: Scope, stored: ReadonlyMap<string, ItemParts> | null): MapperInput {
  const unavailable = () => {
    throw new ComputedError();
  };
  return {
    scope,
    known: unavailable,
    complete: unavailable,
    lastKnown(): KnownRows[] {
      if (stored === null) return unavailable();
      // Every stored coin counts as held.
      const rows = [...stored.values()].map((parts) => ({ ...rowOf(layout, parts), available: "1" }));
      return [{ account: "", scope: null, slot: 0, takenAt: 0, rows }];
    },
  };
}
