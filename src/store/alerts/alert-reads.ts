/** Reads the stored state of alerts from SQLite, for the process that evaluates them and for those that show them. */
import { publicAccount, type Row } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { SelectedMessages } from "../history.ts";
import { prefixOf } from "../schema/tables.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { Message, OpenAlert, Published, StoredSnapshot } from "./alert-store.ts";

export const snapshotColumns = `n.id, a.name as account, e.dataset, n.scope_id as "scopeId", nullif(p.product_type, '') as "productType",
  n.taken_at as "takenAt", n.error_code as "errorCode"`;

export const messageColumns = `id, alert, kind, account, what, state, at, value, threshold, sentence, delivery, attempts,
  next_at as "nextAt", problem`;

/** Returns a prepared statement for the open alerts, oldest first. */
export const prepareOpenAlerts = (sqlite: Sqlite) =>
  sqlite.prepare<[], OpenAlert>(
    "select kind, account, subject, name, what, scope_id as scopeId, fired_at as firedAt from alert order by fired_at, name",
  );

/** Returns the messages that `AlertHistory.lastMessages` describes. */
export const lastMessages = (
  sqlite: Sqlite,
  limit: number,
  { until = null, account = null }: SelectedMessages = {},
): Message[] =>
  sqlite
    .prepare<unknown[], Message>(
      `select ${messageColumns} from alert_message
       where (@until is null or at <= @until) and (@account is null or account in (@account, '${publicAccount}'))
       order by id desc limit @limit`,
    )
    .all({ until, account, limit });

/** Returns the last snapshot, good or failed, of each scope that is still requested on a schedule. */
export const lastSnapshots = (sqlite: Sqlite): StoredSnapshot[] =>
  sqlite
    .prepare<[], StoredSnapshot>(
      `select ${snapshotColumns}
       from scope p join series e on e.id = p.series_id join account a on a.id = e.account_id
         join snapshot n on n.id = (
           select id from snapshot where scope_id = p.id order by taken_at desc, id desc limit 1)
       where p.until is null and exists (select 1 from schedule c where c.series_id = e.id and c.until is null)
       order by a.id, e.id, p.id`,
    )
    .all();

/** Returns a function that reads the rows of a good snapshot, by the column names of its history view. */
export function rowReader(sqlite: Sqlite): (dataset: Dataset, snapshotId: number) => Row[] {
  const prepare = (dataset: Dataset) =>
    sqlite.prepare<[number], Row>(`select * from ${prefixOf(dataset)}_history where snapshot_id = ?`);
  const statements = new Map<Dataset, ReturnType<typeof prepare>>();
  return (dataset, snapshotId) => {
    const statement = statements.get(dataset) ?? prepare(dataset);
    statements.set(dataset, statement);
    return statement.all(snapshotId);
  };
}

/** The hour under which the settings of the processes that evaluate are stored, of the account ''. */
export const settingsHour = -3;

/** Returns a prepared statement for these settings: JSON by the names of the processes. */
export const preparePublished = (sqlite: Sqlite) =>
  sqlite.prepare<[], string>(`select figure from alert_figure where account = '' and hour = ${settingsHour}`).pluck();

/** Returns the settings that `AlertHistory.publishedSettings` describes. */
export function publishedSettings(sqlite: Sqlite): Published[] {
  const text = preparePublished(sqlite).get();
  if (text === undefined) return [];
  try {
    return Object.entries(JSON.parse(text) as object).map(([worker, settings]) => ({ worker, settings }));
  } catch {
    return [];
  }
}

/** Drops every pending message; `problem` is the reason that is stored with it. */
export const cancelPending = (sqlite: Sqlite, problem: string): void =>
  void sqlite
    .prepare("update alert_message set delivery = 'given up', problem = ? where delivery = 'pending'")
    .run(problem);
