/** Gaps contain only due slots; the internal stretches without a complete run also contain manual runs. */
import Database from "better-sqlite3";
import fc from "fast-check";
import { expect, it } from "vitest";
import { pause } from "../../../src/core/async/cooperate.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { createLog } from "../../../src/core/log.ts";
import { datasets } from "../../../src/datasets/index.ts";
import { openStore } from "../../../src/store/open.ts";
import { computeGaps, type Gap, gapColumns } from "../../../src/store/runs/gaps.ts";
import { minute, query, start } from "../../store/kit.ts";
import { type Outcome, outcomes, recordOutcome } from "../../store/slot-outcomes.ts";
import { open, temporaryPath } from "../../store/temporary.ts";

/** Even numbers are slots of a schedule, odd ones times between them. */
const at = (n: number): number => start + Math.floor(n / 2) * minute + (n % 2) * 30_500;
/** As older versions also wrote them: manual runs may be missed and skipped too. */
const outcomeAt = (n: number, what: Outcome["what"], cause: string): Outcome => ({
  what,
  slot: at(n),
  trigger: n % 2 === 1 ? "demand" : "schedule",
  cause,
});
const scopes = ["umcbl", "dmcbl"] as const;

const inOrder = (gaps: Gap[]): string[] =>
  gaps
    .map(({ seriesId, scopeId, fromSlot, toSlot, slots, cause }) =>
      JSON.stringify([seriesId, scopeId, fromSlot, toSlot, slots, cause]),
    )
    .sort();

it("match the run ledger, whatever is run manually between slots", async () => {
  const what = fc.constantFrom(...outcomes.filter((one) => one !== "both"));
  const outcome = fc.tuple(fc.nat(20), what, fc.constantFrom("timeout", "tls")).map((values) => outcomeAt(...values));
  await fc.assert(
    fc.asyncProperty(fc.array(outcome, { minLength: 20, maxLength: 60 }), async (all) => {
      const path = temporaryPath();
      const store = await open(path);
      await store.setSchedule("main", "positions", "* * * * *", start - minute);
      for (const one of all) await recordOutcome(store, one, scopes);
      const sqlite = new Database(path, { readonly: true });
      const ids = sqlite.prepare<[], number>("select id from series").pluck().all();
      const expected = ids.flatMap((id) => [...computeGaps(sqlite, id)].filter((gap) => gap !== pause));
      const stored = sqlite.prepare<[], Gap>(`select ${gapColumns} from gap`).all();
      sqlite.close();
      expect(inOrder(stored)).toEqual(inOrder(expected));
      for (const n of [5, 9, 20]) {
        const [ok] = query(path, `select max(slot) as slot from run where state = 'ok' and slot <= ${at(n)}`);
        expect((await store.freshness(at(n)))[0]?.lastOkAt).toBe(ok?.slot);
      }
      store.close();
    }),
    { numRuns: 25 },
  );
});

it("are neither divided nor lengthened by a manual run", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", "positions", "* * * * *", start - minute);
  await recordOutcome(store, outcomeAt(0, "missed", "asleep"), scopes);
  await recordOutcome(store, outcomeAt(1, "failed", "tls"), scopes);
  await recordOutcome(store, outcomeAt(3, "ok", ""), scopes);
  await recordOutcome(store, outcomeAt(2, "missed", "asleep"), scopes);
  await recordOutcome(store, outcomeAt(4, "missed", "asleep"), scopes);
  expect(query(path, "select cause, slots from gaps")).toEqual([{ cause: "asleep", slots: 3 }]);
});

it("a manual run that could not start does not affect the slots before it", async () => {
  const path = temporaryPath();
  const log = createLog({ level: "silent", format: "json", secrets: [] });
  const store = await openStore({ path, datasets, log, clock: systemClock, stopping: AbortSignal.abort() });
  await store.setSchedule("main", "positions", "* * * * *", start);
  const other = new Database(path);
  other.exec("begin immediate");
  const begin = (dataset: "positions" | "spot-assets") =>
    store.begin("main", dataset, start + 5 * minute + 501, start + 5 * minute + 501, "demand");
  await expect(begin("positions")).rejects.toThrow("locked by another program");
  other.close();
  await begin("spot-assets");
  expect((await store.schedule("main", "positions"))?.processedThrough).toBe(start);
  store.close();
});
