import { expect, it } from "vitest";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { collect, failed, good, minute, query, start } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");
const at = (n: number): number => start + n * minute;
const text = (instant: number): string => new Date(instant).toISOString();

// The contract suite tests the ledger of any store; these tests read its public views in SQLite.
it("the view of runs shows every slot with its state and cause", async () => {
  const path = temporaryPath();
  const first = await open(path);
  await first.closeSlots("main", "spot-assets", [
    { slot: at(0), state: "missed", cause: "asleep" },
    { slot: at(1), state: "skipped", cause: "overlap" },
  ]);
  await collect(first, spotAssets, at(2), {
    snapshots: [good([], at(2))],
    failures: [failed("40015", at(2), "umcbl")],
  });
  await first.begin("main", "spot-assets", at(3), at(3) + 20);
  first.close();
  await (await open(path)).recover();
  const columns = "scheduled_for_ms as slot, state, cause, started_at, finished_at, requests, rows";
  expect(query(path, `select ${columns} from runs order by slot`)).toEqual([
    { slot: at(0), state: "missed", cause: "asleep", started_at: null, finished_at: null, requests: 0, rows: 0 },
    { slot: at(1), state: "skipped", cause: "overlap", started_at: null, finished_at: null, requests: 0, rows: 0 },
    {
      ...{ slot: at(2), state: "partial", cause: "40015", requests: 1, rows: 0 },
      ...{ started_at: text(at(2) + 20), finished_at: text(at(2) + 300) },
    },
    // When it ended is unknown.
    {
      ...{ slot: at(3), state: "failed", cause: "crashed", requests: null, rows: 0 },
      ...{ started_at: text(at(3) + 20), finished_at: null },
    },
  ]);
});

it("the view of schedules shows from when to when each was in force", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", "positions", "*/5 * * * *", at(0));
  await store.setSchedule("main", "positions", "* * * * *", at(10));
  await store.setSchedule("main", "positions", null, at(20));
  expect(query(path, "select since, until, pattern from schedules order by since")).toEqual([
    { since: text(at(0)), until: text(at(10)), pattern: "*/5 * * * *" },
    { since: text(at(10)), until: text(at(20)), pattern: "* * * * *" },
  ]);
});

it("the view of account modes shows each change of the API version", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await store.setApiVersion("main", "v2", at(0), "first seen");
  await store.setApiVersion("main", "v2", at(0) + 1, "first seen");
  await store.setApiVersion("main", "v3", at(1), "upgraded");
  expect(query(path, "select * from account_modes")).toEqual([
    { account: "main", since: text(at(0)), api: "v2", cause: "first seen" },
    { account: "main", since: text(at(1)), api: "v3", cause: "upgraded" },
  ]);
});
