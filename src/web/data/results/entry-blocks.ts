/** Reads the entries of the exchange's ledger in blocks of days, for many queries of short spans. */
import { dayMs } from "../../../core/time.ts";
import type { HistoryReader, LedgerEntry, Span } from "../../../store/history.ts";

const blockMs = 16 * dayMs;

/** Blocks that are kept. A query may need more. */
const maxBlocks = 8;

/**
 * Returns a history that reads entries in blocks and keeps the last ones: entries have no index by time, so that each query reads all of
 * them, however short its span is.
 */
export function withEntryBlocks(history: HistoryReader): HistoryReader {
  const blocks = new Map<string, readonly LedgerEntry[]>();

  function blockAt(account: string | null, from: number): readonly LedgerEntry[] {
    const name = `${from} ${account}`;
    const entries = blocks.get(name) ?? [...history.entries(account, { from, to: from + blockMs })];
    blocks.delete(name);
    blocks.set(name, entries);
    for (const oldest of blocks.keys()) if (blocks.size > maxBlocks) blocks.delete(oldest);
    return entries;
  }

  function* entries(account: string | null, { from, to }: Span): Generator<LedgerEntry, void> {
    for (let begin = Math.floor(from / blockMs) * blockMs; begin < to; begin += blockMs)
      for (const entry of blockAt(account, begin)) if (entry.at >= from && entry.at < to) yield entry;
  }

  return { ...history, entries };
}
