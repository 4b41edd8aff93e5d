/** Checks that the pruned snapshots are those noted in the chain, and that the retained rows are unaltered. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { dayMs } from "../../core/time.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { type PrunedNote, prunedNotes } from "../chain/chain.ts";
import { prepareRetainedRows, retainedDigest } from "../retention/retained-digest.ts";
import { layoutOf } from "../schema/storage-layout.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { Report } from "./problem.ts";

/**
 * Checks what pruning has kept and deleted. Call it after the chain and the snapshots were checked: notes that do not follow from the
 * chain are not reported again, nor are `unsound` series ("main positions"), whose retained digests cover altered keys.
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

/** The largest accepted difference between the exchange's clock and this machine's. Milliseconds. */
const maxClockGapMs = 600_000;

/** Reports snapshots deleted from days that were not pruned, and deleted snapshots that pruning should have kept. */
function checkPrunedSnapshots(sqlite: Sqlite, notes: readonly PrunedNote[], report: Report): void {
  sqlite.exec(`
    create temp table pruned_day (
      account text, dataset text, day integer, first integer, last integer, primary key (account, dataset, day)
    ) without rowid;
    create temp table kept_snapshot (id integer primary key);
  `);
  const addDay = sqlite.prepare("insert or ignore into pruned_day values (?, ?, ?, ?, ?)");
  const addKept = sqlite.prepare("insert or ignore into kept_snapshot values (?)");
  for (const [, account, dataset, dayText, kept] of notes) {
    addDay.run(account, dataset, Date.parse(dayText) / dayMs, kept[0], kept.at(-1));
    for (const id of kept) addKept.run(id);
  }
  // Days are by the exchange's clock, but of a deleted snapshot only the times of its run by this machine's clock are left. The ids of
  // the deleted snapshots of a day are between those of its first and last snapshot, which are kept.
  const unexpected = sqlite
    .prepare(
      `select * from (
         select p.id, r.slot, a.name || ' ' || e.dataset as name, p.id in (select id from kept_snapshot) as shouldBeKept,
           p.id in (select id from snapshot) as stillExists, exists (
             select 1 from pruned_day d where d.account = a.name and d.dataset = e.dataset and p.id between d.first and d.last
               and d.day between (r.slot + r.late_ms - ${maxClockGapMs}) / ${dayMs}
                 and (r.slot + r.late_ms + r.took_ms + ${maxClockGapMs}) / ${dayMs}
           ) as isOfPrunedDay
         from pruned p left join run r on r.id = p.run_id left join series e on e.id = r.series_id
           left join account a on a.id = e.account_id
       ) where shouldBeKept or stillExists or not isOfPrunedDay order by id limit 20`,
    )
    .all() as { id: number; slot: number | null; name: string | null; shouldBeKept: 0 | 1; stillExists: 0 | 1 }[];
  for (const { id, slot, name, shouldBeKept, stillExists } of unexpected) {
    const problem = stillExists ? "still exists" : shouldBeKept ? "should have been kept" : "its day was never pruned";
    report(`${name}: snapshot ${id} (pruned): ${problem}`, slot ?? undefined);
  }
}
