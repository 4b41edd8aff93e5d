/**
 * Reads the responses that contain all sub-accounts of a main account. The runs of a slot share them: the first one sends the requests,
 * page by page, and the others wait for it, so that a slot costs the same however many sub-accounts there are.
 */
import type { Client, RequestOptions } from "../../bitget/client.ts";
import type { HttpResponse } from "../../bitget/wire/http.ts";
import type { ApiResponse, Params } from "../../core/domain.ts";
import { ShapeError } from "../../core/errors.ts";
import type { BulkRow, BulkSource } from "../../datasets/dataset.ts";

interface Received {
  response: HttpResponse;
  /** By our clock. Epoch ms. */
  receivedAt: number;
}

/** What one sweep through the pages found. */
export interface BulkReading {
  /** By the user id of the sub-account: its part of the page that contains it. */
  parts: ReadonlyMap<string, ApiResponse & Received>;
  /** The newest response; null if none arrived. */
  last: Received | null;
  /** Why the pages could not be read to the end; the parts read before are complete. Null if nothing is missing. */
  error: unknown;
}

export interface BulkRequest {
  /** Epoch ms. */
  slot: number;
  /** Runs that ask for the same attempt share a reading; a run that does not accept the first asks for the second. */
  attempt: number;
  options: RequestOptions;
}

export class BulkReader {
  readonly #client: Client;
  readonly #onRead: (reading: BulkReading, slot: number) => void;
  #slot = Number.NaN;
  readonly #readings = new Map<string, Promise<BulkReading>>();

  /** `onRead` is called with each reading. */
  constructor(client: Client, onRead: (reading: BulkReading, slot: number) => void) {
    this.#client = client;
    this.#onRead = onRead;
  }

  /** Never rejects: a failure is part of the reading. Only the readings of one slot are kept. */
  read(source: BulkSource, params: Params, { slot, attempt, options }: BulkRequest): Promise<BulkReading> {
    if (slot !== this.#slot) {
      this.#slot = slot;
      this.#readings.clear();
    }
    const key = JSON.stringify([slot, attempt, source.endpoint.path, params]);
    const reading =
      this.#readings.get(key) ??
      this.#sweep(source, params, options).then((found) => {
        this.#onRead(found, slot);
        return found;
      });
    this.#readings.set(key, reading);
    return reading;
  }

  async #sweep(source: BulkSource, params: Params, options: RequestOptions): Promise<BulkReading> {
    const { path } = source.endpoint;
    const parts = new Map<string, ApiResponse & Received>();
    const twice = new Set<string>();
    let last: Received | null = null;
    const onResponse = (response: HttpResponse, receivedAt: number) => {
      last = { response, receivedAt };
    };
    try {
      for (let after: Params | null = firstPage(source); after !== null; ) {
        const answer = await this.#client.get(source.endpoint, { ...params, ...after }, { ...options, onResponse });
        const rows = source.rows(answer.data);
        for (const { uid, data } of rows) {
          if (parts.has(uid)) twice.add(uid);
          if (last) parts.set(uid, { ...answer, data, ...(last as Received) });
        }
        if (twice.size > 0) throw new ShapeError(path, "data", `lists sub-accounts twice: ${[...twice].join(", ")}`);
        after = nextPage(source, rows);
      }
      return { parts, last, error: null };
    } catch (error) {
      // It is unknown which of the two parts is correct.
      for (const uid of twice) parts.delete(uid);
      return { parts, last, error };
    }
  }
}

const firstPage = ({ page }: BulkSource): Params => (page === null ? {} : { limit: String(page.size) });

/** Returns the parameters of the page after this one; null after the last one. @throws ShapeError */
function nextPage(source: BulkSource, rows: readonly BulkRow[]): Params | null {
  const { endpoint, page } = source;
  if (page === null || rows.length < page.size) return null;
  const cursor = rows.at(-1)?.cursor ?? null;
  if (cursor === null) throw new ShapeError(endpoint.path, "data", "is a full page without the cursor of the next one");
  return { ...firstPage(source), [page.after]: cursor };
}
