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
import type { Store } from "../../../src/store/store.ts";
import { failed, good, minute, query, start } from "../../store/kit.ts";
import { positions } from "../../store/minutes.ts";
import { open, temporaryPath } from "../../store/temporary.ts";

/** Even numbers are slots of a schedule, odd ones times between them. */
const at = (n: number): number => start + Math.floor(n / 2) * minute + (n % 2) * 30_500;
const deeds = ["missed", "skipped", "ok", "failed", "partly", "begun", "recover"] as const;

interface Deed {
  what: (typeof deeds)[number];
  n: number;
  cause: string;
}

async function befall(store: Store, { what, n, cause }: Deed): Promise<void> {
  const isOnDemand = n % 2 === 1;
  if (what === "recover") return void (await store.recover());
  // As written by older versions, also for manual runs.
  if (what === "missed" || what === "skipped")
    return store.closeSlots("main", "positions", [{ slot: at(n), state: what, cause }]);
  const run = await store.begin("main", "positions", at(n), at(n) + 5, isOnDemand ? "demand" : "schedule");
  if (run === null || what === "begun") return;
  const lines = (["umcbl", "dmcbl"] as const).map((scope, line) =>
    what === "failed" || (what === "partly" && line === 1) ? failed(cause, at(n), scope) : good([], at(n), scope),
  );
  await store.finish(run, {
    dataset: positions,
    snapshots: lines.filter((line) => "items" in line),
    failures: lines.filter((line) => "code" in line),
    cause: null,
    finishedAt: at(n) + 9,
    requests: 2,
    retries: 0,
    spreadMs: null,
    skewMs: null,
    skipped: false,
  });
}

const inOrder = (gaps: Gap[]): string[] =>
  gaps
    .map(({ seriesId, scopeId, fromSlot, toSlot, slots, cause }) =>
      JSON.stringify([seriesId, scopeId, fromSlot, toSlot, slots, cause]),
    )
    .sort();

it("match the run ledger, whatever is run manually between slots", async () => {
  const deed = fc.record({ what: fc.constantFrom(...deeds), n: fc.nat(20), cause: fc.constantFrom("timeout", "tls") });
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 20, maxLength: 60 }), async (all) => {
      const path = temporaryPath();
      const store = await open(path);
      await store.setSchedule("main", "positions", "* * * * *", start - minute);
      for (const one of all) await befall(store, one);
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
  await befall(store, { what: "missed", n: 0, cause: "asleep" });
  await befall(store, { what: "failed", n: 1, cause: "tls" });
  await befall(store, { what: "ok", n: 3, cause: "" });
  await befall(store, { what: "missed", n: 2, cause: "asleep" });
  await befall(store, { what: "missed", n: 4, cause: "asleep" });
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
