/** Reads the state of a dataset as of an instant. */
import { freshUntil, parsePattern } from "../../core/cron.ts";
import type { Cell } from "../../core/domain.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { AsOf, Filter } from "../history.ts";
import { layoutOf } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** Prepares the query behind `SnapshotHistory.asOf`. */
export function prepareAsOf(sqlite: Sqlite): (dataset: Dataset, filter: Filter, instant: number) => AsOf {
  // A scope that is no longer requested has no state at a later instant.
  const scopes = sqlite.prepare<
    unknown[],
    { id: number; seriesId: number; account: string; productType: string | null }
  >(
    `select p.id, p.series_id as seriesId, a.name as account, nullif(p.product_type, '') as productType
     from series e join account a on a.id = e.account_id join scope p on p.series_id = e.id
     where e.dataset = @dataset and (p.until is null or p.until > @instant)
       and (@account is null or a.name = @account) and (@productType is null or p.product_type = @productType)
     order by a.id, p.id`,
  );
  const lastGood = sqlite.prepare<[number, number], { id: number; takenAt: number; slot: number }>(
    `select n.id, n.taken_at as takenAt, r.slot from snapshot n join run r on r.id = n.run_id
     where n.scope_id = ? and n.taken_at <= ? and n.error_code is null
     order by n.taken_at desc, n.error_code desc, n.id desc limit 1`,
  );
  const inForce = sqlite
    .prepare<[number, number, number], string>(
      "select pattern from schedule where series_id = ? and since <= ? and coalesce(until, 9e15) > ? order by since desc limit 1",
    )
    .pluck();
  const rowsOf = prepareRows(sqlite);

  const stateAt = (dataset: Dataset, filter: Filter, instant: number): AsOf => {
    const { account = null, product_type: productType = null, ...rowFilter } = filter;
    const rows = rowsOf(dataset, Object.keys(rowFilter));
    const state: AsOf = { columns: rows.columns, scopes: [], rows: [] };
    for (const scope of scopes.all({ dataset: dataset.name, instant, account, productType })) {
      const last = lastGood.get(scope.id, instant);
      const pattern = inForce.get(scope.seriesId, instant, instant);
      const maxAgeMs = last && pattern ? freshUntil(parsePattern(pattern), last.slot) - last.slot : null;
      const ageMs = last ? instant - last.takenAt : null;
      const known = last !== undefined && (maxAgeMs === null || instant <= last.slot + maxAgeMs);
      if (last && known) state.rows.push(...rows.of(last.id, Object.values(rowFilter)));
      state.scopes.push({
        account: scope.account,
        productType: scope.productType,
        takenAt: last?.takenAt ?? null,
        slot: last?.slot ?? null,
        ageMs,
        maxAgeMs,
        known,
      });
    }
    return state;
  };
  // One transaction, because a snapshot that is pruned between the queries would be known but have no rows.
  return sqlite.transaction(stateAt);
}

/** A prepared query for the rows of a snapshot. */
interface SnapshotRows {
  columns: string[];
  of(snapshotId: number, values: readonly string[]): Cell[][];
}

/** Returns a function that prepares the query for the rows of a snapshot, filtered by columns, once per dataset and filter. */
function prepareRows(sqlite: Sqlite): (dataset: Dataset, filterColumns: readonly string[]) => SnapshotRows {
  const prepared = new Map<string, SnapshotRows>();
  return (dataset, filterColumns) => {
    const conditions = filterColumns.map((name) => ` and ${name} = ?`).join("");
    const query = `select * from ${layoutOf(dataset).prefix}_history where snapshot_id = ?${conditions}`;
    const found = prepared.get(query);
    if (found) return found;
    const statement = sqlite.prepare<unknown[], Cell[]>(query).raw().safeIntegers();
    const rows: SnapshotRows = {
      columns: statement.columns().map(({ name }) => name),
      of: (snapshotId, values) => statement.all(snapshotId, ...values),
    };
    prepared.set(query, rows);
    return rows;
  };
}
