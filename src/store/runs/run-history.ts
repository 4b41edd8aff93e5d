/** Reads the outcomes of slots from SQLite. */
import type { RunHistory } from "../history.ts";
import type { Sqlite } from "../sqlite/database.ts";
import { prepareOnce } from "../sqlite/prepare-once.ts";
import { prepareFreshness, prepareFreshnessAt, prepareFreshnessNow, scheduledSeries } from "./freshness.ts";
import { gapsWithin, recordGaps } from "./gap-reader.ts";
import { lastFailure } from "./last-failure.ts";
import { clockSkew, listRows, listRuns } from "./run-list.ts";
import {
  firstOpenSlot,
  firstSlot,
  hasRuns,
  listSeries,
  prepareSlotCount,
  schedulesOf,
  unwrittenSlots,
} from "./slot-counts.ts";
import { openFailures, readStatus } from "./status.ts";
import { listWorkers } from "./workers.ts";

/** Returns the run queries on a connection. */
export const runHistory = (sqlite: Sqlite): RunHistory => ({
  series: (account) => listSeries(sqlite, account),
  schedules: (seriesId) => schedulesOf(sqlite, seriesId),
  firstSlot: () => firstSlot(sqlite),
  hasRuns: (span) => hasRuns(sqlite, span),
  firstOpenSlot: (seriesIds) => firstOpenSlot(sqlite, seriesIds),
  countSlots: prepareOnce(() => prepareSlotCount(sqlite)),
  unwrittenSlots: (seriesId, now) => unwrittenSlots(sqlite, seriesId, now),
  scheduled: (at) => scheduledSeries(sqlite, at),
  freshness: prepareOnce(() => prepareFreshness(sqlite)),
  freshnessNow: prepareOnce(() => prepareFreshnessNow(sqlite)),
  freshnessAt: prepareOnce(() => prepareFreshnessAt(sqlite)),
  status: (now) => readStatus(sqlite, now),
  openFailures: (freshness) => openFailures(sqlite, freshness),
  lastFailure: (seriesId, at) => lastFailure(sqlite, seriesId, at),
  gaps: (account, span) => gapsWithin(sqlite, account, span),
  recordGaps: (account, span) => recordGaps(sqlite, account, span),
  clockSkew: (at) => clockSkew(sqlite, at),
  runs: (query) => listRuns(sqlite, query),
  list: (view, filter, newest) => listRows(sqlite, view, filter, newest),
  workers: (now) => listWorkers(sqlite, now),
});
