/** Opens a database for reading. */
import { lastMessages, lastSnapshots, prepareOpenAlerts, publishedSettings, rowReader } from "../alerts/alert-reads.ts";
import { chainEnd } from "../chain/chain-end.ts";
import { identityOf } from "../files/connections.ts";
import type { HistoryReader, WalletLedger } from "../history.ts";
import { runHistory } from "../runs/run-history.ts";
import { openReadOnly, type Sqlite } from "../sqlite/database.ts";
import { prepareOnce } from "../sqlite/prepare-once.ts";
import { accountHistory } from "./account-history.ts";
import { episodeHistory } from "./episode-history.ts";
import { ledgerHistory } from "./ledger/reconciliation.ts";
import { snapshotHistory } from "./snapshot-history.ts";

/**
 * Opens a history, also while another process writes it.
 * @throws ConfigError if there is no database of this program, or if it has another schema
 */
export const openHistory = (path: string): HistoryReader => historyOn(openReadOnly(path));

/** Opens a history, calls `read`, closes the history and returns the result of `read`. @throws ConfigError as `openHistory` */
export function withHistory<Result>(path: string, read: (history: HistoryReader) => Result): Result {
  const history = openHistory(path);
  try {
    return read(history);
  } finally {
    history.close();
  }
}

/** Returns a history reader on an open connection. */
export function historyOn(sqlite: Sqlite): HistoryReader {
  const path = sqlite.name;
  const file = identityOf(path);
  const ledger = ledgerHistory(sqlite);
  /** The ledgers of the state that is held, by account; null while none is. */
  let held: Map<string | null, WalletLedger[]> | null = null;
  return {
    ...accountHistory(sqlite),
    ...runHistory(sqlite),
    ...snapshotHistory(sqlite),
    ...episodeHistory(sqlite),
    ...ledger,
    ledgers(account) {
      const found = held?.get(account) ?? ledger.ledgers(account);
      held?.set(account, found);
      return found;
    },
    openAlerts: () => prepareOpenAlerts(sqlite).all(),
    lastMessages: (limit, selected) => lastMessages(sqlite, limit, selected),
    publishedSettings: () => publishedSettings(sqlite),
    lastSnapshots: () => lastSnapshots(sqlite),
    snapshotRows: prepareOnce(() => rowReader(sqlite)),
    path,
    hold() {
      sqlite.exec("begin");
      held = new Map();
      return () => {
        held = null;
        sqlite.exec("rollback");
      };
    },
    version: () => Number(sqlite.pragma("data_version", { simple: true })),
    mark: () => ({ file, link: lastLink(sqlite) }),
    isUnchangedSince: (mark) => mark.file === file && !isRewrittenSince(sqlite, mark.link),
    chainEnd: () => chainEnd(sqlite),
    close: () => void sqlite.close(),
  };
}

const lastLink = (sqlite: Sqlite): number =>
  sqlite.prepare<[], number | null>("select max(id) from link").pluck().get() ?? 0;

/** Returns true if a snapshot was pruned or corrected after the link. Reads only the links after it. */
const isRewrittenSince = (sqlite: Sqlite, link: number): boolean =>
  sqlite
    .prepare(`select 1 from link where id > ? and (note like '["pruned",%' or note like '["corrected",%') limit 1`)
    .get(link) !== undefined;
