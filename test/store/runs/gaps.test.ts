import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { datasets } from "../../../src/datasets/index.ts";
import { historyOn } from "../../../src/store/read/open-history.ts";
import { prepareFreshness } from "../../../src/store/runs/freshness.ts";
import { gapsWithin } from "../../../src/store/runs/gap-reader.ts";
import { lastFailure } from "../../../src/store/runs/last-failure.ts";
import type { Sqlite } from "../../../src/store/sqlite/database.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { collection } from "../../../src/web/data/health/collection.ts";
import { gaps } from "../../../src/web/data/health/gaps.ts";
import { hasShell, stepsOf } from "../../support/vm-steps.ts";
import { change, collect, good, minute, query, start } from "../kit.ts";
import { spotAssets } from "../minutes.ts";
import { type Outcome, outcomes, recordOutcome } from "../slot-outcomes.ts";
import { open, temporaryPath } from "../temporary.ts";

/** Computes the gaps in SQL from the runs and snapshots. */
const fromTheLedger = `
with bad as (
  select series_id, '' as product_type, 0 as in_part, slot, coalesce(cause, state) as cause
  from run where state in ('missed', 'skipped', 'failed')
  union all
  select r.series_id, p.product_type, 1, r.slot, n.error_code
  from snapshot n join run r on r.id = n.run_id join scope p on p.id = n.scope_id
  where n.error_code is not null and r.state = 'partial'
), beside as (
  select *, lag(slot) over w as slot_before, lag(cause) over w as cause_before
  from bad window w as (partition by series_id, in_part, product_type order by slot)
), begun as (
  select *, cause is not cause_before or exists (
    select 1 from run r where r.series_id = beside.series_id and r.slot > beside.slot_before and r.slot < beside.slot
  ) as begins
  from beside
), numbered as (
  select *, sum(begins) over (partition by series_id, in_part, product_type order by slot) as number from begun
)
select a.name as account, e.dataset as dataset, nullif(g.product_type, '') as product_type,
  min(g.slot) as from_at_ms, max(g.slot) as to_at_ms, count(*) as slots, g.cause as cause
from numbered g join series e on e.id = g.series_id join account a on a.id = e.account_id
group by g.series_id, g.in_part, g.product_type, g.number order by 1, 2, 3, 4`;

const asShown = `select account, dataset, product_type, from_at_ms, to_at_ms, slots, cause from gaps order by 1, 2, 3, 4`;

const at = (n: number) => start + n * minute;
const missed = (n: number, cause = "asleep") => ({ slot: at(n), state: "missed" as const, cause });

describe("the gaps", () => {
  it("and the last complete run follow from the run ledger, in any order of writes", async () => {
    const outcome = fc
      .record({
        what: fc.constantFrom(...outcomes),
        n: fc.nat({ max: 12 }),
        cause: fc.constantFrom("timeout", "asleep"),
      })
      .map(({ n, ...rest }): Outcome => ({ ...rest, slot: at(n), trigger: n % 3 === 0 ? "demand" : "schedule" }));
    await fc.assert(
      fc.asyncProperty(fc.array(outcome, { minLength: 10, maxLength: 40 }), async (all) => {
        const path = temporaryPath();
        const store = await open(path);
        await store.setSchedule("main", "positions", "* * * * *", start - minute);
        for (const one of all) await recordOutcome(store, one, ["umcbl", "dmcbl", "cmcbl"]);
        expect(query(path, asShown)).toEqual(query(path, fromTheLedger));
        for (const n of [3, 8, 12]) {
          const [ok] = query(path, `select max(slot) as slot from run where state = 'ok' and slot <= ${at(n)}`);
          expect((await store.freshness(at(n)))[0]?.lastOkAt).toBe(ok?.slot);
        }
        const { problems } = await verify(path, datasets);
        expect(problems.filter((problem) => problem.includes("(gap"))).toEqual([]);
        store.close();
      }),
      { numRuns: 25, endOnFailure: true },
    );
  });

  it("of a span are those that overlap it, with their slots until its end, newest first, of one account and the public data", async () => {
    const path = temporaryPath();
    const store = await open(path);
    await store.closeSlots("main", "positions", [missed(1), missed(2), missed(4, "late"), missed(5)]);
    await store.closeSlots("main", "spot-assets", [missed(3), missed(9)]);
    await store.closeSlots("hedge", "spot-assets", [missed(4)]);
    await store.closeSlots("public", "prices", [missed(5)]);
    const sqlite = new Database(path, { readonly: true });
    const found = [...gapsWithin(sqlite, "main", { from: at(2), to: at(5) })];
    sqlite.close();
    expect(found.map(({ dataset, fromSlot, slots }) => [dataset, (fromSlot - start) / minute, slots])).toEqual([
      ["positions", 5, 1],
      ["prices", 5, 1],
      ["positions", 4, 1],
      ["spot-assets", 3, 1],
      ["positions", 1, 2],
    ]);
  });

  it.each([
    ["update gap set slots = 3 where scope_id = 0", "main positions (gap.slots): is 3, expected 2"],
    ["update gap set cause = 'bored' where scope_id = 0", "main positions (gap.cause): is bored, expected asleep"],
    ["update gap set to_slot = to_slot + 1 where scope_id = 0", "(gap.to_slot): is"],
    ["delete from gap where scope_id = -1", "main positions (gap): has no row for the gap that begins here"],
    ["insert into gap values (1, 0, 7, 8, 2, 'x')", "gap: has 3 rows, and the runs make 2 gaps"],
  ])("that contradict the run ledger are found by verification: %s", async (sql, problem) => {
    const path = temporaryPath();
    const store = await open(path);
    await store.closeSlots("main", "positions", [missed(1), missed(2)]);
    store.close();
    change(path, sql);
    expect((await verify(path, datasets)).problems).toEqual([expect.stringContaining(problem)]);
  });
});

/** Opens a database with one complete run, followed by `slots` slots without a snapshot up to now. */
async function lacking(slots: number, causeOf: (n: number) => string): Promise<{ path: string; now: number }> {
  const path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", "spot-assets", "* * * * *", start - minute);
  await collect(store, spotAssets, start, { snapshots: [good([], start)] });
  await store.closeSlots(
    "main",
    "spot-assets",
    Array.from({ length: slots }, (_, n) => missed(n + 1, causeOf(n))),
  );
  return { path, now: at(slots) + 5000 };
}

describe.runIf(hasShell)("the work to show these does not grow with the number of missing slots,", () => {
  const few = 100;
  const many = 10_000;
  const causes: [string, (n: number) => string][] = [
    ["in one gap", () => "asleep"],
    ["in a gap each", (n) => ["asleep", "busy"][n % 2] ?? ""],
    ["not offered at all", () => "not offered"],
  ];
  const view = (sqlite: Sqlite, now: number) => ({
    history: historyOn(sqlite),
    account: null,
    at: now,
    isNow: true,
    now,
    daemon: { daemon: "ok" } as const,
    isExact: false,
    timezone: "UTC",
    params: {},
  });
  const take = (rows: Iterable<unknown>, most: number) => {
    for (const _ of rows) if (--most === 0) break;
  };
  const reads: [string, (sqlite: Sqlite, now: number) => unknown][] = [
    ["the newest gaps", (sqlite, now) => take(gaps.rows(view(sqlite, now)), 50)],
    ["the state of each dataset", (sqlite, now) => take(collection.rows(view(sqlite, now)), 50)],
    ["the freshness", (sqlite, now) => prepareFreshness(sqlite)(now)],
    ["the last failure", (sqlite, now) => lastFailure(sqlite, 1, now)],
  ];
  it.each(causes)("%s", async (_, causeOf) => {
    const [one, other] = [await lacking(few, causeOf), await lacking(many, causeOf)];
    for (const [what, read] of reads) {
      const steps = [one, other].map(({ path, now }) => stepsOf(path, (sqlite) => read(sqlite, now)));
      expect((steps[1] ?? 0) / (steps[0] ?? 0), `${what}: ${steps}`).toBeLessThan(1.5);
    }
  });
});
