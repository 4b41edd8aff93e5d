/** Reads the entries of the exchange's ledger in blocks of days, because a page asks for many short spans of the same days. */
import { dayMs } from "../../core/time.ts";
import type { HistoryReader, LedgerEntry, Span } from "../../store/history.ts";

/** Most pages show thirty days and a little before. */
const blockMs = 32 * dayMs;

/** Blocks that are kept. A query may need more. */
const maxBlocks = 8;

/**
 * Returns a history that reads entries in blocks and keeps the last ones. Entries have no index by time, so that each query reads all of
 * them, however short its span is. Only for a state that is held.
 */
export function withEntryBlocks(history: HistoryReader): HistoryReader {
  const blocks = new Map<string, readonly LedgerEntry[]>();
  /** Where a block begins: a day after the first query, which is about the present on most pages. */
  let origin: number | null = null;

  function blockAt(account: string | null, from: number): readonly LedgerEntry[] {
    const name = `${from} ${account}`;
    const entries = blocks.get(name) ?? [...history.entries(account, { from, to: from + blockMs })];
    blocks.delete(name);
    blocks.set(name, entries);
    for (const oldest of blocks.keys()) if (blocks.size > maxBlocks) blocks.delete(oldest);
    return entries;
  }

  function* entries(account: string | null, { from, to }: Span): Generator<LedgerEntry, void> {
    origin ??= to + dayMs;
    const begin = origin + Math.floor((from - origin) / blockMs) * blockMs;
    for (let at = begin; at < to; at += blockMs)
      for (const entry of blockAt(account, at)) if (entry.at >= from && entry.at < to) yield entry;
  }

  return { ...history, entries };
}
