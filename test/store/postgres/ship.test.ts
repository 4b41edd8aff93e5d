/** Ships SQLite histories to PostgreSQL: the same rows after each pass, whatever happened between two passes. */
import { copyFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import type { Postgres } from "../../../src/store/postgres/connection.ts";
import { mirror } from "../../../src/store/postgres/copy/mirror.ts";
import { Shipper } from "../../../src/store/postgres/copy/ship.ts";
import { prune } from "../../../src/store/retention/prune.ts";
import { viewsOf } from "../../../src/store/schema/views.ts";
import { everyDataset } from "../../support/settings.ts";
import { openWorld } from "../../support/world.ts";
import { corrected, other } from "../corrections.ts";
import { collect, failed, good, item, query, start } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";
import { contentsOf } from "./fill.ts";
import { hourOf } from "./hours.ts";
import { connected, describePostgres, newHistory } from "./kit.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");
const hour = 3_600_000;
const at = (n: number): number => start + n * hour;

function shipper(postgres: Postgres, path: string, signal?: AbortSignal): Shipper {
  const found = new Shipper({ path, postgres, datasets, now: () => start, signal });
  onTestFinished(() => found.close());
  return found;
}

/** Expects that every view shows the same rows in PostgreSQL as in the file. */
async function expectSameViews(postgres: Postgres, path: string): Promise<void> {
  for (const view of viewsOf(datasets).keys()) {
    const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();
    expect(lines(await postgres.query<object>(`select * from ${view}`)), view).toEqual(
      lines(query(path, `select * from ${view}`)),
    );
  }
}

/** Expects that PostgreSQL has every row of the file: by way of a mirror, which is another program. */
async function expectSameTables(postgres: Postgres, path: string): Promise<void> {
  const copy = temporaryPath();
  await mirror(postgres, copy, { datasets, now: () => start });
  expect(contentsOf(copy)).toEqual(contentsOf(path));
}

describePostgres("a shipped history", () => {
  it("has the rows of the file after every pass, also of a shipper that was started again", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 4095 }), { minLength: 30, maxLength: 30 }), async (seeds) => {
        const [postgres, path] = [await connected(await newHistory()), temporaryPath()];
        const store = await open(path);
        for (const account of ["main", "second"]) await store.setSchedule(account, "spot-assets", "0 * * * *", at(-1));
        let ship = shipper(postgres, path);
        for (const [n, seed] of seeds.entries()) {
          for (const account of ["main", "second"])
            await hourOf(store, account, n, seed + (account === "main" ? 0 : 1));
          // A missed slot that is run after all, and a run that is still running.
          if (seed % 13 === 0) await store.begin("main", "prices", at(n), at(n));
          const missed = query(path, "select slot from run where state = 'missed' order by slot limit 1")[0]?.slot;
          if (seed % 7 === 0 && missed !== undefined)
            await collect(store, spotAssets, Number(missed), { snapshots: [good([], Number(missed) + 30_000)] }).catch(
              () => {},
            );
          if (seed % 3 > 0) continue;
          await ship.pass();
          await expectSameTables(postgres, path);
          if (seed % 2 === 0) ship = shipper(postgres, path);
        }
        await ship.pass();
        await expectSameTables(postgres, path);
        await expectSameViews(postgres, path);
      }),
      { numRuns: 3 },
    );
  });

  it("is not written where the file has not changed", async () => {
    const [postgres, path] = [await connected(await newHistory()), temporaryPath()];
    const store = await open(path);
    await hourOf(store, "main", 0, 2);
    const ship = shipper(postgres, path);
    expect((await ship.pass()).rows).toBeGreaterThan(0);
    expect((await ship.pass()).rows).toBe(0);
    await shipper(postgres, path).pass();
    await expectSameTables(postgres, path);
  });

  it("keeps the digits that numeric changes, also where they change", async () => {
    const [postgres, path] = [await connected(await newHistory()), temporaryPath()];
    const store = await open(path);
    const ship = shipper(postgres, path);
    for (const [n, available] of ["-0.00", "00.50", "0.50", "-0"].entries()) {
      await collect(store, spotAssets, at(n), {
        snapshots: [good([item(spotAssets, { coin: "BTC", available })], at(n))],
      });
      await ship.pass();
      await expectSameViews(postgres, path);
    }
    await expectSameTables(postgres, path);
    const shown = await postgres.query<{ available: string }>(
      "select available from spot_assets_history order by taken_at_ms",
    );
    expect(shown.map((row) => row.available)).toEqual(["-0.00", "00.50", "0.50", "-0"]);
  });

  it("gets what was pruned before, during and after a pass", async () => {
    const [postgres, path] = [await connected(await newHistory()), temporaryPath()];
    const store = await open(path);
    for (let n = 0; n < 60; n += 1) await hourOf(store, "main", n, (n * 37) % 4096);
    const ship = shipper(postgres, path);
    await ship.pass();
    const before = query(path, "select count(*) as n from snapshot")[0]?.n;
    const passes: Promise<unknown>[] = [];
    let last: Promise<unknown> = Promise.resolve();
    await prune(path, datasets, at(48), () => {
      last = last.then(() => ship.pass());
      passes.push(last);
    });
    await Promise.all(passes);
    await ship.pass();
    expect(query(path, "select count(*) as n from snapshot")[0]?.n).toBeLessThan(Number(before));
    await expectSameTables(postgres, path);
    await expectSameViews(postgres, path);
    await collect(store, spotAssets, at(61), { failures: [failed("tls", at(61))] });
    await ship.pass();
    await expectSameTables(postgres, path);
  });

  it("gets what was pruned while no shipper was running", async () => {
    const [postgres, path] = [await connected(await newHistory()), temporaryPath()];
    const store = await open(path);
    for (let n = 0; n < 60; n += 1) await hourOf(store, "main", n, (n * 37) % 4096);
    await shipper(postgres, path).pass();
    await prune(path, datasets, at(48));
    await shipper(postgres, path).pass();
    await expectSameTables(postgres, path);
  });

  it("has the rows of a file that was corrected, and of what was recorded after it", async () => {
    const [postgres, path] = [await connected(await newHistory()), temporaryPath()];
    const settings = { ...everyDataset("1-8 10 * * *"), SCHEDULE_PRICES: "", BITGET_PRODUCT_TYPES: "umcbl,dmcbl" };
    const world = await openWorld(path, "2026-10-19T10:00:30Z", settings);
    for (const minute of [1, 2, 3]) await world.at(Date.UTC(2026, 9, 19, 10, minute));
    const ship = shipper(postgres, path);
    await ship.pass();
    await world.close();
    await corrected(path, other);
    const again = await openWorld(path, "2026-10-19T10:03:30Z", settings);
    for (const minute of [4, 5]) await again.at(Date.UTC(2026, 9, 19, 10, minute));
    await ship.pass();
    await expectSameTables(postgres, path);
    await expectSameViews(postgres, path);
    await again.close();
    // What is corrected and pruned between two passes is the same part of a scope.
    await corrected(path, snapshotDatasetNamed("positions"));
    await prune(path, datasets, Date.UTC(2026, 9, 20));
    await ship.pass();
    await expectSameTables(postgres, path);
  });

  it("is refused to a file that was restored from a backup, and to another history, with both links", async () => {
    const [postgres, path] = [await connected(await newHistory()), temporaryPath()];
    const store = await open(path);
    await hourOf(store, "main", 0, 2);
    store.close();
    const backup = temporaryPath();
    copyFileSync(path, backup);
    const later = await open(path);
    await hourOf(later, "main", 1, 2);
    await shipper(postgres, path).pass();
    const heads = /link \d+ is [0-9a-f]{64} in PostgreSQL and missing in the file/;
    await expect(shipper(postgres, backup).pass()).rejects.toThrow(heads);
    const forked = await open(backup);
    for (const n of [1, 2, 3]) await hourOf(forked, "main", n, 5);
    await expect(shipper(postgres, backup).pass()).rejects.toThrow(
      /in PostgreSQL and [0-9a-f]{64} in the file.*schema=NAME/,
    );
    await expectSameTables(postgres, path);
  });

  it("is refused where collectors write to PostgreSQL directly", async () => {
    const [postgres, path] = [await connected(await newHistory()), temporaryPath()];
    await open(path);
    await postgres.run("insert into run (series_id, slot, state) values (1, 0, 'running')");
    await expect(shipper(postgres, path).pass()).rejects.toThrow(/collectors wrote directly.*schema=NAME/);
  });

  it("is as it was where a pass is interrupted, and the next one adds everything", async () => {
    const [postgres, path] = [await connected(await newHistory()), temporaryPath()];
    const store = await open(path);
    for (let n = 0; n < 3; n += 1) await hourOf(store, "main", n, n * 7);
    await shipper(postgres, path).pass();
    const copy = temporaryPath();
    copyFileSync(path, copy);
    for (let n = 3; n < 6; n += 1) await hourOf(store, "main", n, n * 7);
    const stop = new AbortController();
    stop.abort(new Error("stopped"));
    await expect(shipper(postgres, path, stop.signal).pass()).rejects.toThrow("stopped");
    const shipped = await postgres.query("select (select max(id) from link) = link as same from shipped");
    expect(shipped).toEqual([{ same: true }]);
    await Promise.all([shipper(postgres, path).pass(), shipper(postgres, path).pass()]);
    await expectSameTables(postgres, path);
  });
});
