/**
 * Reads the database for pages. Everybody who reads has a connection of their own, which can only read, and sees the database
 * as it was when they began. Long work is cut into steps between which others have their turn.
 */
import { statSync } from "node:fs";
import { cooperate, nextPiece, type Paced, type Steps } from "../../core/async/cooperate.ts";
import { QueryError } from "../../core/errors.ts";
import type { HistoryReader } from "../../store/history.ts";
import { openHistory } from "../../store/read/open-history.ts";
import { createGate } from "./semaphore.ts";

export interface Reader {
  /** What `work` gives, which takes some milliseconds. @throws HTTPException 503 where too many are waiting */
  read<Result>(work: (history: HistoryReader) => Result): Promise<Result>;
  /**
   * The same for work that may take longer, in steps.
   * @throws QueryError after SQL_TIMEOUT_SECONDS
   */
  readInSteps<Result>(work: (history: HistoryReader) => Steps<Result>): Promise<Result>;
  /**
   * The texts of a generator as UTF-8, made as they are taken: nothing piles up.
   * Resolves when the first texts are there, so that what is wrong is known before anything is sent. It breaks off where
   * nobody takes anything for half a minute, and after ten minutes.
   */
  stream(work: (history: HistoryReader) => Paced<string>): Promise<ReadableStream<Uint8Array>>;
  close(): void;
}

/** So many pages, and so many downloads, are worked on at the same time; so many more wait. A download may be taken slowly. */
const most = { pages: 4, downloads: 32, waiting: 512 };

/** Work goes on for so long before others have their turn. Milliseconds. */
const turnMs = 10;

/** About as many characters go out at once. */
const pieceSize = 65_536;

/** Milliseconds. */
const downloadLimits = { idle: 30_000, whole: 600_000 };

export function createReader(path: string, timeoutSeconds: number): Reader {
  const limitMs = timeoutSeconds * 1000;
  const pages = createGate(most.pages, most.waiting, limitMs);
  const downloads = createGate(most.downloads, most.waiting, limitMs);
  const connections = createConnections(path);

  function begin(): { history: HistoryReader; end(): void } {
    const history = connections.take();
    const release = history.hold();
    return {
      history,
      end() {
        release();
        connections.give(history);
      },
    };
  }

  function finish<Result>(steps: Steps<Result>): Promise<Result> {
    const cutAt = performance.now() + limitMs;
    const onTurn = () => {
      if (performance.now() > cutAt)
        throw new QueryError(`This page took longer than ${timeoutSeconds} s; ask for a shorter time.`);
    };
    return cooperate(steps, { turnMs, onTurn });
  }

  async function inside<Result>(work: (history: HistoryReader) => Result | Promise<Result>): Promise<Result> {
    const leave = await pages.enter();
    try {
      const { history, end } = begin();
      try {
        return await work(history);
      } finally {
        end();
      }
    } finally {
      leave();
    }
  }

  return {
    read: inside,
    readInSteps: (work) => inside((history) => finish(work(history))),
    async stream(work) {
      const leave = await downloads.enter();
      try {
        const { history, end } = begin();
        return await streamOf(work(history), () => {
          end();
          leave();
        });
      } catch (error) {
        leave();
        throw error;
      }
    },

    close: connections.close,
  };
}

/** Connections that nobody uses just now are kept for the next one, as long as the file is the same. */
function createConnections(path: string) {
  const idle: HistoryReader[] = [];
  const inodeOf = () => statSync(path, { throwIfNoEntry: false })?.ino;
  let inode = inodeOf();

  function close(): void {
    for (const history of idle.splice(0)) history.close();
  }

  return {
    take(): HistoryReader {
      if (inodeOf() !== inode) close();
      inode = inodeOf();
      return idle.pop() ?? openHistory(path);
    },
    give(history: HistoryReader): void {
      if (idle.length < most.pages) idle.push(history);
      else history.close();
    },
    close,
  };
}

async function streamOf(texts: Paced<string>, onEnd: () => void): Promise<ReadableStream<Uint8Array>> {
  const encoder = new TextEncoder();
  const cutAt = performance.now() + downloadLimits.whole;
  let over = false;
  let idle: NodeJS.Timeout | undefined;

  function end(): void {
    if (over) return;
    over = true;
    clearTimeout(idle);
    texts.return();
    onEnd();
  }

  /** Null: there is no more. */
  async function readOn(): Promise<Uint8Array | null> {
    try {
      const piece = await cooperate(nextPiece(texts, pieceSize), { turnMs });
      if (piece.length < pieceSize) end();
      return piece === "" ? null : encoder.encode(piece);
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
          controller.error(new QueryError("nobody took it"));
        }, downloadLimits.idle);
      },
      async pull(controller) {
        idle?.refresh();
        if (performance.now() > cutAt) {
          end();
          throw new QueryError("it took too long to be taken");
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
