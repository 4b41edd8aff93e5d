/** Detects changes of the database by the counter that SQLite keeps for other connections. */
import { statSync } from "node:fs";
import type { HistoryReader } from "../../store/history.ts";
import { openHistory } from "../../store/read/open-history.ts";

/** Reports changes of the database. */
export interface Changes {
  /** Returns a string that differs after each change, and after each start of this process. */
  version(): string;
  /** Calls `listener` after each change until the returned function is called. */
  subscribe(listener: () => void): () => void;
  close(): void;
}

const pollMs = 1000;

/** Watches the database at `path`, which may be missing or replaced. */
export function watchChanges(path: string): Changes {
  const startedAt = Date.now();
  const listeners = new Set<() => void>();
  let count = 0;
  let lastState = "";
  let history: HistoryReader | null = null;
  let inode: number | undefined;

  /** Returns a string that identifies the state of the database, or "" if it cannot be read. */
  function currentState(): string {
    try {
      const found = statSync(path).ino;
      if (found !== inode) history?.close();
      if (found !== inode || !history) history = openHistory(path);
      inode = found;
      return `${inode} ${history.version()}`;
    } catch {
      // The file may be in the middle of being replaced. Pages report the error.
      history?.close();
      history = null;
      return "";
    }
  }

  function poll(): void {
    const now = currentState();
    if (now === lastState) return;
    lastState = now;
    count += 1;
    for (const listener of listeners) listener();
  }

  poll();
  const timer = setInterval(poll, pollMs);
  timer.unref();
  return {
    version: () => `${startedAt}-${count}`,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      clearInterval(timer);
      history?.close();
      history = null;
    },
  };
}
