import { describe, expect, it } from "vitest";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { prepareFreshness } from "../../../src/store/runs/freshness.ts";
import { openReadOnly } from "../../../src/store/sqlite/database.ts";
import type { Store } from "../../../src/store/store.ts";
import { collect, failed, good, minute, start } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";

const hour = 60 * minute;
const positions = snapshotDatasetNamed("positions");

/** Opens a store in which positions have this schedule since `start`. Returns it with a function that reads the freshness at an instant. */
async function scheduled(pattern: string, since = start) {
  const path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", "positions", pattern, since);
  const sqlite = openReadOnly(path);
  const read = prepareFreshness(sqlite);
  return { store, at: (now: number) => read(now)[0] };
}

const ok = (store: Store, slot: number) => collect(store, positions, slot, { snapshots: [good([], slot)] });
const fail = (store: Store, slot: number) => collect(store, positions, slot, { failures: [failed("timeout", slot)] });

describe("a dataset", () => {
  it("is fresh up to two periods after its last complete run, and stale from then on", async () => {
    const { store, at } = await scheduled("*/5 * * * *");
    await ok(store, start + 5 * minute);
    await fail(store, start + 10 * minute);
    expect(at(start + 15 * minute)).toMatchObject({ fresh: true, lastOkAt: start + 5 * minute, ageMs: 10 * minute });
    expect(at(start + 15 * minute + 1)).toMatchObject({ fresh: false, staleAt: start + 15 * minute });
  });

  it("is fresh again with the next complete run", async () => {
    const { store, at } = await scheduled("*/5 * * * *");
    await fail(store, start + 5 * minute);
    await fail(store, start + 10 * minute);
    expect(at(start + 11 * minute)).toMatchObject({ fresh: false, lastOkAt: null, ageMs: null });
    await ok(store, start + 15 * minute);
    expect(at(start + 16 * minute)).toMatchObject({ fresh: true, lastOkAt: start + 15 * minute });
  });

  it("does not become fresh by partial runs", async () => {
    const { store, at } = await scheduled("*/5 * * * *");
    for (const slot of [start + 5 * minute, start + 10 * minute])
      await collect(store, positions, slot, {
        snapshots: [good([], slot, "umcbl")],
        failures: [failed("timeout", slot, "dmcbl")],
      });
    expect(at(start + 10 * minute + 1)).toMatchObject({ fresh: false, last: { state: "partial" } });
  });

  it("stays fresh during the long pauses of an uneven schedule", async () => {
    const { store, at } = await scheduled("0 9,10 * * *");
    await ok(store, start + 9 * hour);
    await ok(store, start + 10 * hour);
    expect(at(start + 33 * hour)).toMatchObject({ fresh: true });
    expect(at(start + 33 * hour + 1)).toMatchObject({ fresh: true, staleAt: start + 34 * hour });
    expect(at(start + 34 * hour + 1)).toMatchObject({ fresh: false });
  });

  it("stays fresh for two slots after its schedule began or changed", async () => {
    const { store, at } = await scheduled("0 * * * *", start + 1);
    expect(at(start + 2 * hour)).toMatchObject({ fresh: true, lastOkAt: null });
    expect(at(start + 2 * hour + 1)).toMatchObject({ fresh: false });
    await ok(store, start + 3 * hour);
    await store.setSchedule("main", "positions", "*/5 * * * *", start + 3 * hour + 40 * minute);
    expect(at(start + 3 * hour + 50 * minute)).toMatchObject({ fresh: true });
    expect(at(start + 3 * hour + 50 * minute + 1)).toMatchObject({ fresh: false });
  });

  it("that the account's API does not offer is never stale", async () => {
    const { store, at } = await scheduled("*/5 * * * *");
    await collect(store, positions, start + 5 * minute, { skipped: true, cause: "not offered" });
    expect(at(start + 10 * hour)).toMatchObject({ offered: false, fresh: true, staleAt: null });
  });

  it("that is switched off is not listed", async () => {
    const { store, at } = await scheduled("*/5 * * * *");
    await store.setSchedule("main", "positions", null, start + minute);
    expect(at(start + 10 * hour)).toBeUndefined();
  });

  it("has no age while the clock is more than some seconds behind the last slot", async () => {
    const { store, at } = await scheduled("*/5 * * * *");
    await ok(store, start + 5 * minute);
    await ok(store, start + 30 * minute);
    expect(at(start + 31 * minute)).toMatchObject({ lastOkAt: start + 30 * minute });
    expect(at(start + 30 * minute - 20_000)).toMatchObject({ lastOkAt: start + 5 * minute, fresh: false });
    expect(at(start + 22 * minute)).toMatchObject({ lastOkAt: start + 30 * minute, ageMs: null, fresh: false });
    expect(at(start + 10 * minute)).toMatchObject({ lastOkAt: start + 30 * minute, ageMs: null, fresh: false });
    expect(at(start + 31 * minute)).toMatchObject({ lastOkAt: start + 30 * minute });
  });
});
