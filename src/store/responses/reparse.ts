/** Parses a stored raw response again, with the parser of today. */
import { parseResponse } from "../../bitget/wire/envelope.ts";
import type { KnownRows, Scope } from "../../core/domain.ts";
import type { Dataset, MapperInput } from "../../datasets/dataset.ts";
import { type ItemParts, layoutOf, partsByKey, rowOf, type StorageLayout } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { unpack } from "./archive.ts";

/** Identifies a stored response: account, product type ('' for the whole account) and slot (epoch ms). */
export interface RequestKey {
  account: string;
  productType: string;
  slot: number;
}

export interface Reparsed {
  /** By their keys. */
  rows: Map<string, ItemParts>;
  /** When the exchange says that it answered, epoch ms; null where it does not. */
  requestTime: number | null;
}

/** Thrown where rows are computed from more than their own response. */
export class ComputedError extends Error {}

interface StoredAnswer {
  address: string;
  status: number;
  digest: Buffer;
  packed: Buffer;
}

/**
 * Prepares to make rows of the last answer of a run and scope: what its snapshot was made of, or why it failed. `stored` is what
 * its snapshot holds, null where it failed. Null where the answer is not kept, or no longer what was received; throws a
 * ComputedError, or what the collector would have met with.
 */
export function prepareReparse(
  raw: Sqlite,
  dataset: Dataset,
): (asked: RequestKey, stored: ReadonlyMap<string, ItemParts> | null) => Reparsed | null {
  const layout = layoutOf(dataset);
  const find = raw.prepare<unknown[], StoredAnswer>(
    `select s.address, w.status, b.digest, b.packed
     from source s join answer w on w.source_id = s.id and w.slot = @slot join body b on b.id = w.body_id
     where s.dataset = '${dataset.name}' and s.account = @account and s.product_type = @productType
     order by w.number desc limit 1`,
  );
  return ({ account, productType, slot }, stored) => {
    const answer = find.get({ account, productType, slot });
    const body = answer && received(answer);
    return answer && body ? derive(layout, { account, productType, slot }, { ...answer, body }, stored) : null;
  };
}

function received({ packed, digest }: StoredAnswer): Buffer | null {
  try {
    return unpack(packed, digest);
  } catch {
    return null;
  }
}

function derive(
  layout: StorageLayout,
  { productType, slot }: RequestKey,
  { address, status, body }: { address: string; status: number; body: Buffer },
  stored: ReadonlyMap<string, ItemParts> | null,
): Reparsed {
  const source = Object.values(layout.dataset.sources).find((one) => one.endpoint?.name === address);
  if (!source) throw new Error(`${layout.dataset.name} has no endpoint ${address} in this version`);
  const reading = { path: source.endpoint?.path ?? address, now: slot, redact: (text: string) => text };
  const { data, requestTime } = parseResponse({ status, contentType: "", retryAfter: null, body }, reading);
  const scope = (productType || null) as Scope;
  return { rows: partsByKey(layout, source.items(data, mapperInput(layout, scope, stored))), requestTime };
}

/** What was asked about can be told from the rows that are stored; what other datasets said then is not known. */
function mapperInput(layout: StorageLayout, scope: Scope, stored: ReadonlyMap<string, ItemParts> | null): MapperInput {
  const notKept = () => {
    throw new ComputedError();
  };
  return {
    scope,
    known: notKept,
    complete: notKept,
    lastKnown(): KnownRows[] {
      if (stored === null) return notKept();
      // Whatever has an amount counts as held.
      const rows = [...stored.values()].map((parts) => ({ ...rowOf(layout, parts), available: "1" }));
      return [{ account: "", scope: null, slot: 0, takenAt: 0, rows }];
    },
  };
}
