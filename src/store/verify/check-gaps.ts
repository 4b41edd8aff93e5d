/** Recomputes the gaps from the runs and compares them with the stored ones. */
import { pause, type Steps } from "../../core/async/cooperate.ts";
import { computeGaps, type Gap } from "../runs/gaps.ts";
import type { Sqlite } from "../sqlite/database.ts";
import type { Report } from "./problem.ts";

/** Reports gaps that do not follow from the runs, and gaps that are not stored. */
export function* checkGaps(sqlite: Sqlite, report: Report): Steps<void> {
  const all = sqlite
    .prepare<[], { id: number; name: string }>(
      "select e.id, a.name || ' ' || e.dataset as name from series e join account a on a.id = e.account_id",
    )
    .all();
  const stored = sqlite.prepare<[number, number, number], Pick<Gap, "toSlot" | "slots" | "cause">>(
    "select to_slot as toSlot, slots, cause from gap where series_id = ? and scope_id = ? and from_slot = ?",
  );
  let expected = 0;
  for (const { id, name } of all)
    for (const gap of computeGaps(sqlite, id)) {
      if (gap === pause) {
        yield pause;
        continue;
      }
      expected += 1;
      const { seriesId, scopeId, fromSlot, toSlot, slots, cause } = gap;
      const found = stored.get(seriesId, scopeId, fromSlot);
      if (!found) report(`${name} (gap): has no row for the gap that begins here`, fromSlot);
      else if (found.toSlot !== toSlot)
        report(`${name} (gap.to_slot): is ${found.toSlot}, expected ${toSlot}`, fromSlot);
      else if (found.slots !== slots) report(`${name} (gap.slots): is ${found.slots}, expected ${slots}`, fromSlot);
      else if (found.cause !== cause) report(`${name} (gap.cause): is ${found.cause}, expected ${cause}`, fromSlot);
    }
  const rows = sqlite.prepare<[], number>("select count(*) from gap").pluck().get() ?? 0;
  if (rows > expected) report(`gap: has ${rows} rows, and the runs make ${expected} gaps`);
}
