/**
 * Keeps response bodies as received for some days, so that stored rows can be parsed from them again. They are written to a separate
 * file shortly after the rows are committed. No run waits for that or fails because of it, and without the file only `db replay`
 * does not work.
 */
import { hash } from "node:crypto";
import { setImmediate as breath } from "node:timers/promises";
import { promisify } from "node:util";
import { brotliCompress, brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import type { Clock } from "../../core/clock.ts";
import type { DatasetName, Scope } from "../../core/domain.ts";
import type { Log } from "../../core/log.ts";
import { dayMs } from "../../core/time.ts";
import { diskSpaceFor } from "../files/disk.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { openRawWriter, rawFile } from "./archive-file.ts";

/** A response to one request of a run. */
export interface RawResponse {
  scope: Scope;
  /** The name of the endpoint. */
  endpoint: string;
  /** HTTP status. */
  status: number;
  /** By the clock of this machine. Epoch ms. */
  receivedAt: number;
  /** The body as received, after decompression. */
  body: Buffer;
}

interface Run {
  account: string;
  dataset: DatasetName;
  slot: number;
}

export interface RawOptions {
  databasePath: string;
  /** The number of days for which responses are kept; 0 keeps none. */
  days: number;
  clock: Clock;
  log: Log;
  /** Removes secrets from a text. */
  redact(text: string): string;
}

/** Responses within this time share a transaction. Milliseconds. */
const batchDelayMs = 100;

/** Responses written, and expired responses deleted, in one transaction: some milliseconds of work. */
const batch = { write: 50, expire: 200 };

/** Bodies longer than this are compressed in another thread; for shorter ones that takes longer. Bytes. */
const longBodyBytes = 32_768;

/** Higher levels take twenty times as long for little gain. */
const compression = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
const packNow = (body: Buffer): Buffer => brotliCompressSync(body, compression);
const packInThread = promisify(brotliCompress);

/** Returns the body as received. Throws an Error if it does not have its digest. */
export function unpack(packed: Buffer, digest: Buffer): Buffer {
  const body = brotliDecompressSync(packed);
  if (!digestOf(body).equals(digest)) throw new Error("a raw response is not as received");
  return body;
}

const digestOf = (body: Buffer): Buffer => hash("sha256", body, "buffer");

/** Opens the archive. Returns null if no responses are to be kept, or if the file cannot be used, which is logged. */
export function openResponseArchive(options: RawOptions): ResponseArchive | null {
  if (options.days === 0) return null;
  const path = rawFile(options.databasePath);
  try {
    return new ResponseArchive(openRawWriter(path), path, options);
  } catch (error) {
    options.log.warn({ path }, `raw responses are not kept: ${(error as Error).message}`);
    return null;
  }
}

interface Waiting extends Run, RawResponse {
  number: number;
}

/** Writes raw responses to their file in the background. */
export class ResponseArchive {
  readonly #sqlite: Sqlite;
  readonly #path: string;
  readonly #options: RawOptions;
  readonly #write: ReturnType<typeof createTransaction>;
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;
  #isFailing = false;

  constructor(sqlite: Sqlite, path: string, options: RawOptions) {
    this.#sqlite = sqlite;
    this.#path = path;
    this.#options = options;
    this.#write = createTransaction(sqlite);
  }

  /** Queues the responses of a run, in the order in which they arrived. Returns at once; they are written later. */
  keep(run: Run, responses: readonly RawResponse[]): void {
    const counts = new Map<Scope, number>();
    for (const response of responses) {
      const number = (counts.get(response.scope) ?? 0) + 1;
      counts.set(response.scope, number);
      this.#waiting.push({ ...run, ...response, number });
    }
    this.#timer ??= this.#later();
  }

  /** Writes the queued responses, and closes the file. */
  close(): void {
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    const rest = this.#waiting.splice(0).filter((one) => this.#isHarmless(one));
    this.#attempt(
      rest,
      rest.map(({ body }) => packNow(body)),
    );
    this.#sqlite.close();
  }

  #later(): NodeJS.Timeout {
    return setTimeout(() => void this.#writeWaiting(), batchDelayMs).unref();
  }

  async #writeWaiting(): Promise<void> {
    do {
      const first = this.#waiting.slice(0, batch.write);
      const some = first.filter((one) => this.#isHarmless(one));
      // The runs of many sub-accounts keep the same response.
      const known = new Map<Buffer, Buffer>();
      for (const { body } of some) {
        if (known.has(body)) continue;
        known.set(body, body.length > longBodyBytes ? await packInThread(body, compression) : packNow(body));
        await breath();
      }
      const packed = some.map(({ body }) => known.get(body) as Buffer);
      if (this.#isClosed) return;
      this.#waiting.splice(0, first.length);
      this.#attempt(some, packed);
    } while (this.#waiting.length >= batch.write);
    this.#timer = this.#waiting.length > 0 ? this.#later() : null;
  }

  /** Returns false for a response that contains a secret, which is not kept: redacted, it would not be what was received. */
  #isHarmless({ body }: Waiting): boolean {
    const text = body.toString("utf8");
    return this.#options.redact(text) === text;
  }

  #attempt(some: readonly Waiting[], packed: readonly Buffer[]): void {
    const { clock, days, log } = this.#options;
    const path = this.#path;
    try {
      if (diskSpaceFor(path).level !== "enough") throw new Error("too little disk space");
      this.#write(some, packed, { now: clock.now(), days });
      this.#isFailing = false;
    } catch (error) {
      const problem = `raw responses cannot be written to ${path}: ${(error as Error).message}`;
      if (!this.#isFailing) log.warn({ path }, problem);
      this.#isFailing = true;
    }
  }
}

/**
 * Returns a transaction that writes responses and deletes some that are older than `days`, compared with both the clock and the newest
 * stored response, so that a wrong clock deletes nothing.
 */
function createTransaction(sqlite: Sqlite) {
  const addSource = sqlite.prepare(
    "insert or ignore into source (account, dataset, product_type, address) values (?, ?, ?, ?)",
  );
  const addBody = sqlite.prepare("insert or ignore into body (digest, packed) values (?, ?)");
  const addAnswer = sqlite.prepare(
    `insert or replace into answer (slot, source_id, number, received_at, status, body_id)
     select ?, s.id, ?, ?, ?, b.id from source s, body b
     where s.account = ? and s.dataset = ? and s.product_type = ? and s.address = ? and b.digest = ?`,
  );
  const removeOld = sqlite
    .prepare<[number], number>(
      `delete from answer where (slot, source_id, number) in
         (select slot, source_id, number from answer where slot < ? order by slot limit ${batch.expire})
       returning body_id`,
    )
    .pluck();
  const removeBody = sqlite.prepare(
    "delete from body where id = ? and not exists (select 1 from answer where body_id = body.id)",
  );
  const newest = sqlite.prepare<[], number | null>("select max(slot) from answer").pluck();
  interface Age {
    now: number;
    days: number;
  }
  return sqlite.transaction((some: readonly Waiting[], packed: readonly Buffer[], { now, days }: Age) => {
    for (const [at, { account, dataset, scope, endpoint, slot, number, receivedAt, status, body }] of some.entries()) {
      const source = [account, dataset, scope ?? "", endpoint];
      const digest = digestOf(body);
      addSource.run(...source);
      addBody.run(digest, packed[at]);
      addAnswer.run(slot, number, receivedAt, status, ...source, digest);
    }
    const oldest = Math.min(now, newest.get() ?? now) - days * dayMs;
    for (const id of new Set(removeOld.all(oldest))) removeBody.run(id);
  }).immediate;
}
