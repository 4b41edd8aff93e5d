import { once } from "node:events";
import { existsSync, renameSync, rmSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { StorageError } from "../../../src/core/errors.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { createWriteQueue } from "../../../src/store/sqlite/write-queue.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { seconds } from "../../support/wait.ts";
import { change, coins, collect, good, minute, query, start } from "../kit.ts";
import { child, open, temporaryPath } from "../temporary.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");

const end = {
  dataset: spotAssets,
  failures: [],
  cause: null,
  finishedAt: start,
  requests: 1,
  retries: 0,
  spreadMs: null,
  skewMs: null,
  skipped: false,
};

describe("writing", () => {
  it("a write waits for another writer without blocking the event loop", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const other = new Database(path);
    other.exec("begin immediate");
    // The other transaction can only end if the event loop is not blocked.
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
      if (turns < 50) return;
      clearInterval(timer);
      other.exec("commit");
    }, 10);
    expect(await store.begin("main", "spot-assets", start, start)).toBe(1);
    expect(turns).toBe(50);
    other.close();
  });

  it("a deleted or replaced file is detected before a write is reported as stored", async () => {
    const path = temporaryPath();
    const other = temporaryPath();
    (await open(other)).close();
    const store = await open(path);
    rmSync(path);
    await expect(store.begin("main", "spot-assets", start, start)).rejects.toThrow(/was moved, deleted or replaced/);
    renameSync(other, path);
    await expect(store.closeSlots("main", "spot-assets", [])).rejects.toThrow(StorageError);
    store.close();
    expect((await verify(path, datasets)).problems).toEqual([]);
  });

  it("if the end of a run cannot be written, nothing is lost, and the next write records that it failed", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const run = (await store.begin("main", "spot-assets", start, start)) ?? 0;
    // Fails at the last statement, when everything before it has been written.
    const trigger = "create trigger full before update of took_ms on run begin select raise(abort, 'full'); end";
    change(path, trigger);
    await expect(store.finish(run, { ...end, snapshots: [good(coins(1), start)] })).rejects.toThrow();
    change(path, "drop trigger full");
    expect(await collect(store, spotAssets, start + minute, { snapshots: [good(coins(1), start)] })).toBe("ok");
    expect(query(path, "select state, cause, rows from runs order by run_id")).toEqual([
      { state: "failed", cause: "internal", rows: 0 },
      { state: "ok", cause: null, rows: 40 },
    ]);
    expect((await verify(path, datasets)).problems).toEqual([]);
  });

  it("the end of a run is written once the disk can be written again", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const run = (await store.begin("main", "spot-assets", start, start)) ?? 0;
    const finish = () => store.finish(run, { ...end, snapshots: [good(coins(1), start)] });
    renameSync(path, `${path}.away`);
    await expect(finish()).rejects.toThrow(StorageError);
    renameSync(`${path}.away`, path);
    expect(await collect(store, spotAssets, start + minute, { snapshots: [good(coins(2), start + minute)] })).toBe(
      "ok",
    );
    expect(await finish()).toMatchObject({ state: "ok" });
  });

  it("a slot that could not be claimed is recorded as missed with the next write", async () => {
    const path = temporaryPath();
    const store = await open(path);
    renameSync(path, `${path}.away`);
    await expect(store.begin("main", "spot-assets", start, start)).rejects.toThrow(StorageError);
    renameSync(`${path}.away`, path);
    await store.begin("main", "spot-assets", start + minute, start + minute);
    expect(query(path, "select state, cause from runs order by scheduled_for")).toEqual([
      { state: "missed", cause: "storage" },
      { state: "running", cause: null },
    ]);
  });

  it("a process killed at any moment leaves complete runs, including all that it reported as stored", async () => {
    const path = temporaryPath();
    const reported: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const writer = child("writer", path);
      let output = "";
      writer.stdout.on("data", (chunk) => {
        output += chunk;
      });
      await once(writer.stdout, "data");
      await seconds((40 + round * 37) / 1000);
      writer.kill("SIGKILL");
      await once(writer, "close");
      reported.push(...output.split("\n").slice(0, -1).map(Number));
    }
    const store = await open(path);
    await store.recover();
    const stored = query(path, "select scheduled_for_ms as slot from runs where state = 'ok'").map(({ slot }) => slot);
    expect(reported.filter((slot) => !stored.includes(slot))).toEqual([]);
    expect(query(path, "select 1 from spot_assets_history group by snapshot_id having count(*) <> 40")).toEqual([]);
    expect((await verify(path, datasets)).problems).toEqual([]);
    expect(existsSync(`${path}.part`)).toBe(false);
  });
});

describe("writes requested in one turn of the event loop", () => {
  function numbers() {
    const path = temporaryPath();
    const sqlite = new Database(path);
    sqlite.pragma("journal_mode = WAL");
    sqlite.exec("create table number (n integer primary key, parent integer references number)");
    let rollbacks = 0;
    const write = createWriteQueue(path, sqlite, systemClock, () => {
      rollbacks += 1;
    });
    const add = (n: number, parent: number | null = null) =>
      sqlite.prepare("insert into number values (?, ?)").run(n, parent).changes;
    const stored = () => query(path, "select n from number order by n").map(({ n }) => n);
    return { sqlite, write, add, stored, rollbacks: () => rollbacks };
  }

  it("share a transaction, and one that fails is rolled back alone", async () => {
    const { write, add, stored, rollbacks } = numbers();
    const results = await Promise.allSettled([
      write(() => add(1)),
      write(() => add(2) + add(1)),
      write(() => {
        add(3);
        throw new TypeError("a bug");
      }),
      write(() => add(4) && stored()),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(results[3]).toEqual({ status: "fulfilled", value: [] });
    expect(stored()).toEqual([1, 4]);
    expect(rollbacks()).toBe(2);
  });

  it("are all retried in order while another program writes", async () => {
    const { sqlite, write, add } = numbers();
    sqlite.pragma("busy_timeout = 10");
    const other = new Database(sqlite.name);
    other.exec("begin immediate");
    setTimeout(() => other.exec("commit"), 200);
    const order: number[] = [];
    await Promise.all([2, 1, 3].map((n) => write(() => add(n)).then(() => order.push(n))));
    other.close();
    expect(order).toEqual([2, 1, 3]);
  });

  it("each read what is stored when the commit fails", async () => {
    const { sqlite, write, add, stored } = numbers();
    const results = await Promise.allSettled([
      write(
        () => sqlite.pragma("defer_foreign_keys = on") && add(1, 99),
        () => 7,
      ),
      write(
        () => add(2),
        () => null,
      ),
      write(() => add(3)),
    ]);
    expect(results[0]).toEqual({ status: "fulfilled", value: 7 });
    expect(results.slice(1)).toMatchObject([1, 2].map(() => ({ reason: expect.any(StorageError) })));
    expect(stored()).toEqual([]);
  });
});
