/** Whether what was pruned is what the chain says was pruned, and what stays of it is as it was written. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { dayMs } from "../../core/time.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { type PrunedNote, prunedNotes } from "../chain/chain.ts";
import { prepareRetainedRows, retainedDigest } from "../retention/retained-digest.ts";
import { layoutOf } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { Report } from "./problem.ts";

/**
 * To be called when chain and snapshots were walked: it says nothing about notes that do not follow from the chain, nor of
 * `unsound` series ("main positions"), of which the names in every seal may have been altered.
 */
export function* checkPruned(
  sqlite: Sqlite,
  datasets: readonly Dataset[],
  unsound: ReadonlySet<string>,
  report: Report,
): Steps<void> {
  const notes = prunedNotes(sqlite);
  checkPrunedSnapshots(sqlite, notes, report);
  yield pause;
  const seriesOf = sqlite
    .prepare<[string, string], number>(
      "select e.id from series e join account a on a.id = e.account_id where a.name = ? and e.dataset = ?",
    )
    .pluck();
  const readers = new Map(
    datasets.map((dataset) => [dataset.name as string, prepareRetainedRows(sqlite, layoutOf(dataset))]),
  );
  let covered = 0;
  for (const note of notes) {
    const [, account, dataset, dayText, , seal] = note;
    const day = Date.parse(dayText);
    const rows = readers.get(dataset)?.(seriesOf.get(account, dataset) ?? 0, day) ?? [];
    covered += rows.filter(({ table }) => table === "daily_range").length;
    const series = `${account} ${dataset}`;
    if (!unsound.has(series) && retainedDigest(rows) !== seal)
      report(`${series}: the retained rows of the day (daily_range, episode) are not what was written`, day);
    yield pause;
  }
  if (unsound.size > 0) return;
  const all = Number(sqlite.prepare("select count(*) from daily_range").pluck().get());
  if (all !== covered)
    report(`${all - covered} ranges (daily_range): belong to no day that was pruned according to the chain`);
}

/** As far as the exchange's clock and ours may be apart. */
const maxClockGapMs = 600_000;

/** Nothing may be gone of a day that was not pruned, nor what was to stay of one that was. */
function checkPrunedSnapshots(sqlite: Sqlite, notes: readonly PrunedNote[], report: Report): void {
  sqlite.exec(`
    create temp table pruned_day (
      account text, dataset text, day integer, first integer, last integer, primary key (account, dataset, day)
    ) without rowid;
    create temp table staying (id integer primary key);
  `);
  const addDay = sqlite.prepare("insert or ignore into pruned_day values (?, ?, ?, ?, ?)");
  const addStaying = sqlite.prepare("insert or ignore into staying values (?)");
  for (const [, account, dataset, dayText, stay] of notes) {
    addDay.run(account, dataset, Date.parse(dayText) / dayMs, stay[0], stay.at(-1));
    for (const id of stay) addStaying.run(id);
  }
  // A day is that of the answer by the exchange's clock, of which there is only our word for the run left. What is gone of it
  // came between its first and its last snapshot, which stay.
  const odd = sqlite
    .prepare(
      `select * from (
         select p.id, r.slot, a.name || ' ' || e.dataset as name, p.id in (select id from staying) as wasToStay,
           p.id in (select id from snapshot) as isThere, exists (
             select 1 from pruned_day d where d.account = a.name and d.dataset = e.dataset and p.id between d.first and d.last
               and d.day between (r.slot + r.late_ms - ${maxClockGapMs}) / ${dayMs}
                 and (r.slot + r.late_ms + r.took_ms + ${maxClockGapMs}) / ${dayMs}
           ) as isNoted
         from pruned p left join run r on r.id = p.run_id left join series e on e.id = r.series_id
           left join account a on a.id = e.account_id
       ) where wasToStay or isThere or not isNoted order by id limit 20`,
    )
    .all() as { id: number; slot: number | null; name: string | null; wasToStay: 0 | 1; isThere: 0 | 1 }[];
  for (const { id, slot, name, wasToStay, isThere } of odd) {
    const problem = isThere ? "still exists" : wasToStay ? "should have been kept" : "its day was never pruned";
    report(`${name}: snapshot ${id} (pruned): ${problem}`, slot ?? undefined);
  }
}
