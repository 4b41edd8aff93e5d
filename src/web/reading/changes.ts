/** Notices that something was stored: by the counter that SQLite keeps for whoever else has the file open. */
import { statSync } from "node:fs";
import type { HistoryReader } from "../../store/history.ts";
import { openHistory } from "../../store/read/open-history.ts";

export interface Changes {
  /** Another word after each change, and after each start of this process. */
  version(): string;
  /** Calls `listener` after each change; the returned function calls it off. */
  subscribe(listener: () => void): () => void;
  close(): void;
}

const pollMs = 1000;

export function watchChanges(path: string): Changes {
  const startedAt = Date.now();
  const listeners = new Set<() => void>();
  let count = 0;
  let lastState = "";
  let history: HistoryReader | null = null;
  let inode: number | undefined;

  /** What is there now, in a word; "" where nothing can be seen. */
  function currentState(): string {
    try {
      const found = statSync(path).ino;
      if (found !== inode) history?.close();
      if (found !== inode || !history) history = openHistory(path);
      inode = found;
      return `${inode} ${history.version()}`;
    } catch {
      // Being replaced, perhaps. Pages that are asked for say what is wrong.
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
