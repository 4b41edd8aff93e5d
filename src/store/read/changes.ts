/** Finds the newest changes of a few items from their versions, without scanning the snapshots in which nothing changed. */

import { type Paced, pause } from "../../core/async/cooperate.ts";
import { snakeCase } from "../../core/columns.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import type { ColumnValues, HistoryRow, Span } from "../history.ts";
import { layoutOf } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";

/** Number of changes read at once. */
const chunk = 100;

/** Yields the rows that `SnapshotHistory.latestChanges` describes. */
export function* latestChanges(
  sqlite: Sqlite,
  dataset: Dataset,
  account: string | null,
  filter: ColumnValues,
  span: Span,
  columns: "all" | "steady" = "all",
): Paced<HistoryRow> {
  const { prefix, key, moving } = layoutOf(dataset);
  const { product_type: productType = "", ...keys } = filter;
  const names = Object.keys(keys);
  if (names.some((name) => !key.map(snakeCase).includes(name)))
    throw new RangeError(`${dataset.name}: ${names.join()}`);
  const items = sqlite
    .prepare<unknown[], number>(
      `select i.id from ${prefix}_item i join scope p on p.id = i.scope_id join series e on e.id = p.series_id
         join account a on a.id = e.account_id
       where e.dataset = ? and a.name = ? and p.product_type = ?${names.map((name) => ` and i.${name} = ?`).join("")}`,
    )
    .pluck()
    .all(dataset.name, account, productType, ...Object.values(keys));
  if (items.length === 0) return;
  const condition = names.map((name) => ` and ${name} = ?`).join("");
  const rowsAt = sqlite.prepare<unknown[], HistoryRow>(
    `select * from ${prefix}_history where snapshot_id = ?${condition}`,
  );
  const parts = columns === "steady" ? ["steady"] : ["steady", ...(moving.length > 0 ? ["moving"] : []), "extra"];
  const before = sqlite
    .prepare<unknown[], number>(
      `select distinct since from (${parts
        .flatMap((part) =>
          items.map(
            (id) => `select * from (select since from ${prefix}_${part}
           where item_id = ${id} and since < @before order by since desc limit ${chunk})`,
          ),
        )
        .join(" union all ")}) order by since desc limit ${chunk}`,
    )
    .pluck();
  for (let last: number | undefined = Number.MAX_SAFE_INTEGER; last !== undefined; ) {
    const found: number[] = before.all({ before: last });
    for (const snapshotId of found) {
      for (const row of rowsAt.all(snapshotId, ...Object.values(keys))) {
        const at = Number(row.taken_at_ms);
        if (at < span.from) return;
        if (at < span.to && row.account === account) yield row;
      }
      yield pause;
    }
    last = found.length === chunk ? found.at(-1) : undefined;
  }
}
