import { describe, expect, it } from "vitest";
import { datasetNamed } from "../../../src/datasets/index.ts";
import { collect, failed, good, item, minute, query, start } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";

const spotAssets = datasetNamed("spot-assets");
const positions = datasetNamed("positions");
const slots = (first: number, count: number, state: "missed" | "skipped", cause: string) =>
  Array.from({ length: count }, (_, n) => ({ slot: start + (first + n) * minute, state, cause }));

const runsOf = (path: string) => query(path, "select scheduled_for_ms as slot, state, cause from runs order by slot");

describe("ledger", () => {
  it("a slot is claimed once", async () => {
    const store = await open(temporaryPath());
    expect(await store.begin("main", "spot-assets", start, start)).toBe(1);
    expect(await store.begin("main", "spot-assets", start, start + 5)).toBeNull();
    expect(await store.begin("hedge", "spot-assets", start, start)).toBe(2);
    expect(await store.begin("main", "positions", start, start)).toBe(3);
  });

  it("a slot declared missed can be claimed when the clock reaches it again, a skipped one cannot", async () => {
    const path = temporaryPath();
    const store = await open(path);
    await store.settle("main", "spot-assets", [...slots(0, 1, "missed", "asleep"), ...slots(1, 1, "skipped", "off")]);
    expect(await store.begin("main", "spot-assets", start, start + 20)).toBe(1);
    expect(await store.begin("main", "spot-assets", start + minute, start + minute)).toBeNull();
    expect(runsOf(path)).toEqual([
      { slot: start, state: "running", cause: null },
      { slot: start + minute, state: "skipped", cause: "off" },
    ]);
  });

  it("settling leaves rows that exist as they are and moves on to the last slot", async () => {
    const path = temporaryPath();
    const store = await open(path);
    await store.setSchedule("main", "spot-assets", "* * * * *", start - minute);
    await collect(store, spotAssets, start + minute, { snapshots: [good([], start)] });
    await store.settle("main", "spot-assets", slots(0, 4, "missed", "asleep"));
    expect(runsOf(path).map(({ state }) => state)).toEqual(["missed", "ok", "missed", "missed"]);
    expect((await store.schedule("main", "spot-assets"))?.accountedTo).toBe(start + 3 * minute);
  });

  it("a schedule begins accounting where it is put in force and ends when switched off", async () => {
    const path = temporaryPath();
    const store = await open(path);
    expect(await store.schedule("main", "positions")).toBeNull();
    await store.setSchedule("main", "positions", "*/5 * * * *", start);
    expect(await store.schedule("main", "positions")).toEqual({
      pattern: "*/5 * * * *",
      since: start,
      accountedTo: start,
    });
    await store.begin("main", "positions", start + minute, start + minute);
    await store.setSchedule("main", "positions", "* * * * *", start + 10 * minute);
    expect(await store.schedule("main", "positions")).toEqual({
      pattern: "* * * * *",
      since: start + 10 * minute,
      accountedTo: start + 10 * minute,
    });
    await store.setSchedule("main", "positions", null, start + 20 * minute);
    expect(await store.schedule("main", "positions")).toBeNull();
    expect(query(path, "select since, until, pattern from schedules order by since")).toEqual([
      { since: "2026-11-01T00:00:00.000Z", until: "2026-11-01T00:10:00.000Z", pattern: "*/5 * * * *" },
      { since: "2026-11-01T00:10:00.000Z", until: "2026-11-01T00:20:00.000Z", pattern: "* * * * *" },
    ]);
  });

  it("runs of a dead process are failed as crashed by the next one", async () => {
    const path = temporaryPath();
    const first = await open(path);
    await first.begin("main", "spot-assets", start, start);
    first.close();
    const second = await open(path);
    expect(await second.recover()).toBe(1);
    expect(await second.recover()).toBe(0);
    expect(query(path, "select state, cause, finished_at, rows from runs")).toEqual([
      { state: "failed", cause: "crashed", finished_at: null, rows: 0 },
    ]);
  });

  it("each change of the API generation is kept", async () => {
    const path = temporaryPath();
    const store = await open(path);
    expect(await store.apiVersion("main")).toBeNull();
    await store.setApiVersion("main", "v2", start, "first seen");
    await store.setApiVersion("main", "v2", start + 1, "first seen");
    await store.setApiVersion("main", "v3", start + minute, "upgraded");
    expect(await store.apiVersion("main")).toBe("v3");
    expect(query(path, "select * from account_modes")).toEqual([
      { account: "main", since: "2026-11-01T00:00:00.000Z", api: "v2", cause: "first seen" },
      { account: "main", since: "2026-11-01T00:01:00.000Z", api: "v3", cause: "upgraded" },
    ]);
  });

  it("a run is ok, partial, failed or skipped by what it brought", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const end = (at: number, more: object) => collect(store, positions, start + at * minute, more);
    expect(await end(0, { snapshots: [good([], start, "umcbl")] })).toBe("ok");
    expect(await end(1, { snapshots: [good([], start, "umcbl")], failures: [failed("40015", start, "dmcbl")] })).toBe(
      "partial",
    );
    expect(await end(2, { failures: [failed("timeout", start, "umcbl"), failed("tls", start, "dmcbl")] })).toBe(
      "failed",
    );
    expect(await end(3, { cause: "deadline" })).toBe("failed");
    expect(await end(4, { skipped: true, cause: "auth" })).toBe("skipped");
    expect(runsOf(path).map(({ cause }) => cause)).toEqual([null, "40015", "timeout, tls", "deadline", "auth"]);
  });

  it("a run that has ended keeps its end", async () => {
    const store = await open(temporaryPath());
    const run = (await store.begin("main", "spot-assets", start, start)) ?? 0;
    const end = {
      dataset: spotAssets,
      cause: null,
      finishedAt: start,
      requests: 1,
      retries: 0,
      spreadMs: null,
      skewMs: null,
      skipped: false,
    };
    const snapshots = [good([item(spotAssets, { coin: "BTC", available: "1" })], start)];
    expect(await store.finish(run, { ...end, snapshots, failures: [] })).toMatchObject({ state: "ok" });
    expect(await store.finish(run, { ...end, snapshots: [], failures: [failed("timeout", start)] })).toMatchObject({
      state: "ok",
    });
    expect((await store.latest(spotAssets))[0]?.rows).toHaveLength(1);
  });
});
