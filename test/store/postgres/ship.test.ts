/** Ships SQLite histories to PostgreSQL: the same rows after each pass, whatever happened between two passes. */
import { copyFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { Secret } from "../../../src/core/domain.ts";
import { StorageError } from "../../../src/core/errors.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import type { Postgres } from "../../../src/store/postgres/connection.ts";
import { mirror } from "../../../src/store/postgres/copy/mirror.ts";
import { Shipper } from "../../../src/store/postgres/copy/ship.ts";
import { shipStatus } from "../../../src/store/postgres/copy/ship-status.ts";
import { prune } from "../../../src/store/retention/prune.ts";
import { bills } from "../../support/bills.ts";
import { everyDataset } from "../../support/settings.ts";
import { openWorld } from "../../support/world.ts";
import { corrected, other } from "../corrections.ts";
import { collect, failed, good, item, query, start } from "../kit.ts";
import { batch, bill } from "../record-contract.ts";
import { open, temporaryPath } from "../temporary.ts";
import { contentsOf, expectSameViews } from "./fill.ts";
import { hourOf } from "./hours.ts";
import { connected, describePostgres, newHistory } from "./kit.ts";
import { startRelay } from "./relay.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");
const hour = 3_600_000;
const at = (n: number): number => start + n * hour;

function shipper(postgres: Postgres, path: string, more: Partial<ConstructorParameters<typeof Shipper>[0]> = {}) {
  const found = new Shipper({ path, postgres, datasets, now: () => start, ...more });
  onTestFinished(() => found.close());
  return found;
}

/** Expects that PostgreSQL has every row of the file: by way of a mirror, which is another program. */
async function expectSameTables(postgres: Postgres, path: string): Promise<void> {
  const copy = temporaryPath();
  await mirror(postgres, copy, { datasets, now: () => start });
  expect(contentsOf(copy)).toEqual(contentsOf(path));
}

/** Expects that the copy has exactly the links up to its position, and their runs. */
async function expectWholeLinks(postgres: Postgres): Promise<void> {
  const [found] = await postgres.query(
    `select (select count(*) from link) = s.link and coalesce((select max(id) from link), 0) = s.link as links,
       not exists (select from link l left join run r on r.id = l.run_id where l.run_id is not null and r.id is null) as runs,
       not exists (select from snapshot n left join run r on r.id = n.run_id where r.id is null) as snapshots
     from (select coalesce((select link from shipped), 0) as link) s`,
  );
  expect(found).toEqual({ links: true, runs: true, snapshots: true });
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
    await expect(shipper(postgres, path, { signal: stop.signal }).pass()).rejects.toThrow("stopped");
    const shipped = await postgres.query("select (select max(id) from link) = link as same from shipped");
    expect(shipped).toEqual([{ same: true }]);
    await Promise.all([shipper(postgres, path).pass(), shipper(postgres, path).pass()]);
    await expectSameTables(postgres, path);
  });

  it("loses nothing, whichever message is the last one that PostgreSQL gets before its client is gone", async () => {
    const [url, path, relay] = [await newHistory(), temporaryPath(), await startRelay()];
    const database = new URL(url).pathname;
    const store = await open(path);
    const direct = await connected(url);
    for (let n = 0; n < 14; n += 1) await hourOf(store, "main", n, (n * 37) % 4096);
    const through = () => connected(`postgres://postgres@127.0.0.1:${relay.port}${database}`, { keepsPlans: true });
    let [cuts, parts] = [0, 0];
    const step = async (ship: Shipper, left: number): Promise<boolean> => {
      relay.left = left;
      relay.isDelivered = cuts % 2 === 0;
      const isComplete = await ship.pass().then(
        () => true,
        (error: unknown) => expect(error).toBeInstanceOf(StorageError),
      );
      if (isComplete !== true) cuts += 1;
      await expectWholeLinks(direct);
      return isComplete === true;
    };
    // A new process each time, which gets one message further than the one before.
    const onPart = () => {
      parts += 1;
    };
    for (let left = 0; !(await step(shipper(await through(), path, { linksAtOnce: 3, onPart }), left)); left += 1)
      if (parts > 0) {
        await expect(expectSameTables(direct, path)).rejects.toThrow(/first copy .* is not complete/);
        expect(await shipStatus(path, new Secret(url))).toMatchObject({ isFirstCopy: true, problem: null });
      }
    expect(cuts).toBeGreaterThan(10);
    expect(parts).toBeGreaterThan(5);
    await expectSameTables(direct, path);
    expect(await shipStatus(path, new Secret(url))).toMatchObject({ isFirstCopy: false, linksBehind: 0 });
    // One process, whose passes are one statement each.
    const ship = shipper(await through(), path);
    relay.left = 1000;
    await ship.pass();
    for (let n = 14; n < 18; n += 1) {
      await hourOf(store, "main", n, n * 7 + 1);
      expect(await step(ship, 0)).toBe(false);
      await step(ship, 1000);
      await expectSameTables(direct, path);
    }
    await expectSameViews(direct, path);
  });

  it("has the records of incremental datasets, each version of them, and how far they were read", async () => {
    const [url, other] = [await newHistory(), await newHistory()];
    const [postgres, path, copy] = [await connected(url), temporaryPath(), temporaryPath()];
    const store = await open(path);
    let ship = shipper(postgres, path);
    for (const [n, items] of [
      [bill(1), bill(2)],
      [bill(3), bill(1, { fee: "-0.10" })],
      [],
      [
        bill(4, { fee: "-0" }),
        ...["1500576346319880193", "9223372036854775808", "007"].map((billId) => bill(4, { billId })),
      ],
    ].entries()) {
      const failures = n === 1 ? [failed("deadline", at(n), "umcbl")] : [];
      const snapshots = [batch(n, items, { through: n }), batch(n, [bill(n + 10)], {}, "dmcbl")];
      await collect(store, bills, at(n), { snapshots, failures });
      if (n === 2) ship = shipper(postgres, path);
      await ship.pass();
      await mirror(postgres, copy, { datasets, now: () => start });
      expect(contentsOf(copy)).toEqual(contentsOf(path));
    }
    expect(query(copy, "select count(*) as n from bills_record")).toEqual([{ n: 12 }]);
    const inParts = await connected(other);
    await shipper(inParts, path, { linksAtOnce: 1 }).pass();
    for (const table of ["bills_record", "reading", "snapshot", "run", "odd_digits"])
      expect(await inParts.query(`select * from ${table} order by 1, 2, 3`), table).toEqual(
        await postgres.query(`select * from ${table} order by 1, 2, 3`),
      );
  });

  it("is not made of a mirror", async () => {
    const [postgres, path, copy] = [await connected(await newHistory()), temporaryPath(), temporaryPath()];
    await open(path);
    await shipper(postgres, path).pass();
    await mirror(postgres, copy, { datasets, now: () => start });
    expect(() => shipper(postgres, copy)).toThrow(/is a mirror: its history is in PostgreSQL already/);
  });
});
