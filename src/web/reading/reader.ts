/**
 * Reads the database for pages. Each request has its own read-only connection with a snapshot of the database as of its start. Long
 * work is split into steps that yield to the event loop.
 */
import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { cooperate, nextBytes, nextPiece, type Paced, type Steps } from "../../core/async/cooperate.ts";
import { QueryError } from "../../core/errors.ts";
import type { HistoryReader } from "../../store/history.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { withEntryBlocks } from "./entry-blocks.ts";
import { createSemaphore, type Semaphore } from "./semaphore.ts";

/** Maximum number of pages and downloads processed at a time, and of waiting requests. A client may read a download slowly. */
const limits = { pages: 4, downloads: 32, waiting: 512 };

/** Longest work between two yields to the event loop. Milliseconds. */
const yieldAfterMs = 10;

/** Time between two looks whether requests are being read. Milliseconds. */
const lookMs = 10;

/** Approximate size of a chunk of a download, in characters or bytes. */
const chunkSize = 65_536;

/** Milliseconds. */
const downloadLimits = { idle: 30_000, whole: 600_000 };

/** Reads the database for requests, within limits. */
export class Reader {
  readonly #limitMs: number;
  readonly #pages: Semaphore;
  readonly #downloads: Semaphore;
  readonly #connections: Connections;
  /** The requests whose pages are being read. */
  #asked = 0;

  constructor(path: string, timeoutSeconds: number) {
    this.#limitMs = timeoutSeconds * 1000;
    this.#pages = createSemaphore(limits.pages, limits.waiting, this.#limitMs);
    this.#downloads = createSemaphore(limits.downloads, limits.waiting, this.#limitMs);
    this.#connections = createConnections(path);
  }

  /** Returns the result of `work`, which must take only milliseconds. @throws HTTPException 503 if too many requests wait */
  async read<Result>(work: (history: HistoryReader) => Result | Promise<Result>): Promise<Result> {
    const leave = await this.#pages.acquire();
    try {
      const { history, end } = this.#connections.take();
      try {
        return await work(history);
      } finally {
        end();
      }
    } finally {
      leave();
    }
  }

  /** Returns the result of longer work, which yields between its steps. @throws QueryError after SQL_TIMEOUT_SECONDS */
  async readInSteps<Result>(work: (history: HistoryReader) => Steps<Result>): Promise<Result> {
    this.#asked += 1;
    try {
      return await this.#cooperate(work, () => false);
    } finally {
      this.#asked -= 1;
    }
  }

  /**
   * Returns the result of work that no request waits for: it pauses while pages are read. @throws QueryError after SQL_TIMEOUT_SECONDS, Error
   * after `close`
   */
  readInAdvance<Result>(work: (history: HistoryReader) => Steps<Result>): Promise<Result> {
    return this.#cooperate(work, () => {
      if (this.#connections.isClosed()) throw new Error("the reader is closed");
      return this.#asked > 0;
    });
  }

  #cooperate<Result>(work: (history: HistoryReader) => Steps<Result>, mustWait: () => boolean): Promise<Result> {
    return this.read((history) => {
      const cutAt = performance.now() + this.#limitMs;
      const checkTime = () => {
        if (performance.now() > cutAt)
          throw new QueryError(`This page took longer than ${this.#limitMs / 1000} s; choose a shorter span.`);
      };
      const onTurn = async () => {
        for (checkTime(); mustWait(); checkTime()) await sleep(lookMs);
      };
      return cooperate(work(history), { turnMs: yieldAfterMs, onTurn });
    });
  }

  /**
   * Streams the strings of a generator as UTF-8, produced only as the client reads them. Resolves with the first chunk ready, so that
   * errors are reported before anything is sent. Ends after 30 seconds without a read, and after ten minutes.
   */
  stream(work: (history: HistoryReader) => Paced<string>): Promise<ReadableStream<Uint8Array>> {
    return this.#streamFrom((history) => encoded(work(history)));
  }

  /** Streams the bytes of a generator like `stream`. */
  streamBytes(work: (history: HistoryReader) => Paced<Uint8Array>): Promise<ReadableStream<Uint8Array>> {
    return this.#streamFrom((history) => {
      const chunks = work(history);
      return { next: () => nextBytes(chunks, chunkSize), end: () => void chunks.return() };
    });
  }

  async #streamFrom(work: (history: HistoryReader) => Pieces): Promise<ReadableStream<Uint8Array>> {
    const leave = await this.#downloads.acquire();
    try {
      const { history, end } = this.#connections.take();
      return await streamOf(work(history), () => {
        end();
        leave();
      });
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Closes the database: for requests in progress at their end, for what is read in advance at its next step. */
  close(): void {
    this.#connections.close();
  }
}

type Connections = ReturnType<typeof createConnections>;

/** Pools idle connections, as long as the database file is not replaced. */
function createConnections(path: string) {
  const idle: HistoryReader[] = [];
  const inodeOf = () => statSync(path, { throwIfNoEntry: false })?.ino;
  let inode = inodeOf();
  let isClosed = false;

  function closeIdle(): void {
    for (const history of idle.splice(0)) history.close();
  }

  return {
    /** Returns a connection that sees the database as of now, until `end` is called. */
    take() {
      if (inodeOf() !== inode) closeIdle();
      inode = inodeOf();
      const opened = inode;
      const history = idle.pop() ?? openHistory(path);
      const release = history.hold();
      const end = () => {
        release();
        if (!isClosed && inode === opened && idle.length < limits.pages) idle.push(history);
        else history.close();
      };
      return { history: withEntryBlocks(history), end };
    },
    isClosed: () => isClosed,
    close() {
      isClosed = true;
      closeIdle();
    },
  };
}

/** The pieces of a download; an empty one is the end. */
interface Pieces {
  next(): Steps<Uint8Array>;
  end(): void;
}

function encoded(texts: Paced<string>): Pieces {
  const encoder = new TextEncoder();
  return {
    *next() {
      return encoder.encode(yield* nextPiece(texts, chunkSize));
    },
    end: () => void texts.return(),
  };
}

async function streamOf(pieces: Pieces, onEnd: () => void): Promise<ReadableStream<Uint8Array>> {
  const cutAt = performance.now() + downloadLimits.whole;
  let over = false;
  let idle: NodeJS.Timeout | undefined;

  function end(): void {
    if (over) return;
    over = true;
    clearTimeout(idle);
    pieces.end();
    onEnd();
  }

  /** Returns the next chunk, or null at the end. */
  async function readOn(): Promise<Uint8Array | null> {
    try {
      const piece = await cooperate(pieces.next(), { turnMs: yieldAfterMs });
      if (piece.length < chunkSize) end();
      return piece.length === 0 ? null : piece;
    } catch (error) {
      end();
      throw error;
    }
  }

  let first = await readOn();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        idle = setTimeout(() => {
          end();
          controller.error(new QueryError("the client stopped reading the download"));
        }, downloadLimits.idle);
      },
      async pull(controller) {
        idle?.refresh();
        if (performance.now() > cutAt) {
          end();
          throw new QueryError("the client took too long to read the download");
        }
        const piece = first ?? (over ? null : await readOn());
        first = null;
        if (piece) controller.enqueue(piece);
        else controller.close();
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}
