/** Mirrors a history in PostgreSQL into an SQLite file: the same rows after each pass, whatever happened between two passes. */
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Secret } from "../../../src/core/domain.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import type { Postgres } from "../../../src/store/postgres/connection.ts";
import { describeHistory, type Mirrored, mirror, withMirrorLock } from "../../../src/store/postgres/copy/mirror.ts";
import { prune } from "../../../src/store/retention/prune.ts";
import { ownMigrations } from "../../../src/store/sqlite/migrations.ts";
import type { Store } from "../../../src/store/store.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { bills } from "../../support/bills.ts";
import { everyDataset } from "../../support/settings.ts";
import { openWorld } from "../../support/world.ts";
import { corrected, other } from "../corrections.ts";
import { change, collect, query, start } from "../kit.ts";
import { batch, bill } from "../record-contract.ts";
import { open, temporaryPath } from "../temporary.ts";
import { contentsOf, fill } from "./fill.ts";
import { hourOf } from "./hours.ts";
import { connected, describePostgres, newDatabase, newHistory } from "./kit.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");
const positions = snapshotDatasetNamed("positions");
const hour = 3_600_000;
const at = (n: number): number => start + n * hour;

const refresh = (postgres: Postgres, path: string, signal?: AbortSignal): Promise<Mirrored> =>
  mirror(postgres, path, { datasets, now: () => start, ...(signal && { signal }) });

/** Copies the state of a file through PostgreSQL to its mirror, and expects the same rows. */
async function expectMirrored(postgres: Postgres, original: string, copy: string): Promise<Mirrored> {
  await fill(postgres, original);
  const done = await refresh(postgres, copy);
  expect(contentsOf(copy)).toEqual(contentsOf(original));
  return done;
}

/** Opens a store in which each account has a chain of its own, as where several machines recorded. */
async function openPerAccount(path: string): Promise<Store> {
  const first = await open(path);
  await first.setApiVersion("main", "v2", at(-1), "first seen");
  first.close();
  change(path, "update link set chain = 1");
  return open(path);
}

describePostgres("a mirror", () => {
  it.each([
    ["one chain", open],
    ["a chain for each account", openPerAccount],
  ])("has the rows of the history after every pass: %s", async (_, opened) => {
    const postgres = await connected(await newHistory());
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 4095 }), { minLength: 36, maxLength: 36 }), async (seeds) => {
        const [original, copy] = [temporaryPath(), temporaryPath()];
        const store = await opened(original);
        const accounts = ["main", "second"];
        for (const account of accounts) await store.setSchedule(account, "spot-assets", "0 * * * *", at(-1));
        for (const [n, seed] of seeds.entries()) {
          for (const account of accounts) await hourOf(store, account, n, seed + (account === "main" ? 0 : 1));
          // A missed slot that is run after all, and a run that is still running.
          if (
            seed % 13 === 0 &&
            query(original, `select 1 from run where slot = ${at(n - 3)} and state = 'missed'`).length > 0
          )
            await store.begin("main", "spot-assets", at(n - 3), at(n), "demand");
          if (seed % 17 === 0) await store.recover();
          if (n === 32) await prune(original, [spotAssets, positions], at(n - 24));
          if (seed % 6 === 0) await expectMirrored(postgres, original, copy);
        }
        await store.recover();
        await expectMirrored(postgres, original, copy);
        const [found, expected] = [await verify(copy, datasets), await verify(original, datasets)];
        expect(found).toEqual({ ...expected, problems: [] });
      }),
      { numRuns: 1, endOnFailure: true },
    );
  });

  it("has the rows of a history that was corrected, and of what was recorded after it", async () => {
    const postgres = await connected(await newHistory());
    const [original, copy] = [temporaryPath(), temporaryPath()];
    const settings = { ...everyDataset("1-8 10 * * *"), SCHEDULE_PRICES: "", BITGET_PRODUCT_TYPES: "umcbl,dmcbl" };
    const world = await openWorld(original, "2026-10-19T10:00:30Z", settings);
    for (const minute of [1, 2, 3]) await world.at(Date.UTC(2026, 9, 19, 10, minute));
    await expectMirrored(postgres, original, copy);
    await world.close();
    await corrected(original, other);
    expect(contentsOf(copy)).not.toEqual(contentsOf(original));
    await expectMirrored(postgres, original, copy);
    expect((await verify(copy, datasets)).problems).toEqual([]);
  });

  it("has the records of incremental datasets, each version of them, and how far they were read", async () => {
    const url = await newHistory();
    const [postgres, original, copy] = [await connected(url), temporaryPath(), temporaryPath()];
    const store = await open(original);
    await refresh(postgres, copy);
    for (const [n, items] of [
      [bill(1), bill(2)],
      [bill(3), bill(1, { fee: "-0.10" })],
      [],
      [
        bill(4, { fee: "-0" }),
        ...["1500576346319880193", "9223372036854775808", "007"].map((billId) => bill(4, { billId })),
      ],
    ].entries()) {
      await collect(store, bills, at(n), { snapshots: [batch(n, items), batch(n, [bill(n + 10)], {}, "dmcbl")] });
      await fill(postgres, original);
      await refresh(postgres, copy);
      expect(contentsOf(copy)).toEqual(contentsOf(original));
    }
    expect(query(copy, "select count(*) as n from bills_record")).toEqual([{ n: 12 }]);
  });

  it("copies what an account committed later with earlier ids", async () => {
    const postgres = await connected(await newHistory());
    const [original, copy] = [temporaryPath(), temporaryPath()];
    const store = await openPerAccount(original);
    for (const [n, seed] of [3, 8, 14, 22].entries())
      for (const account of ["second", "main"]) await hourOf(store, account, n, seed);
    await fill(postgres, original);
    // The last hour of `second` was not committed yet when `main` had committed its own.
    const late = "(select r.id from run r join series e on e.id = r.series_id where e.account_id = 2 and r.slot = $1)";
    await postgres.transaction(async (connection) => {
      await connection.run("set session_replication_role = replica");
      const ids = `(select id from snapshot where run_id in ${late})`;
      for (const table of ["spot_assets_steady", "spot_assets_moving", "positions_steady", "positions_moving"])
        await connection.run(`delete from ${table} where since in ${ids}`, [at(3)]);
      for (const table of ["snapshot", "link"])
        await connection.run(`delete from ${table} where run_id in ${late}`, [at(3)]);
      await connection.run(`delete from run where id in ${late}`, [at(3)]);
      await connection.run("set session_replication_role = origin");
    });
    await refresh(postgres, copy);
    const last = "select max(id) as id from snapshot where run_id in (select id from run where series_id in (1, 2))";
    expect(query(copy, last)).not.toEqual(query(original, last));
    await expectMirrored(postgres, original, copy);
    expect((await verify(copy, datasets)).problems).toEqual([]);
  });

  it("changes nothing where nothing is new, and nothing where it is interrupted", async () => {
    const postgres = await connected(await newHistory());
    const [original, copy] = [temporaryPath(), temporaryPath()];
    const store = await open(original);
    await hourOf(store, "main", 0, 3);
    await expectMirrored(postgres, original, copy);
    const before = contentsOf(copy);
    expect((await refresh(postgres, copy)).rows).toBe(0);
    expect(contentsOf(copy)).toEqual(before);
    await hourOf(store, "main", 1, 8);
    await fill(postgres, original);
    await expect(refresh(postgres, copy, AbortSignal.abort())).rejects.toThrow("aborted");
    expect(contentsOf(copy)).toEqual(before);
    const never = temporaryPath();
    await expect(refresh(postgres, never, AbortSignal.abort())).rejects.toThrow("aborted");
    expect([existsSync(never), existsSync(`${never}.part`)]).toEqual([false, false]);
    await expectMirrored(postgres, original, copy);
  });

  it("refuses another history and one that was restored from a backup, with both links", async () => {
    const postgres = await connected(await newHistory());
    const [original, other, copy] = [temporaryPath(), temporaryPath(), temporaryPath()];
    const store = await open(original);
    await hourOf(store, "main", 0, 3);
    store.close();
    copyFileSync(original, other);
    for (const [path, seed] of [
      [original, 8],
      [other, 9],
    ] as const) {
      const continued = await open(path);
      await hourOf(continued, "main", 1, seed);
      continued.close();
    }
    const backup = temporaryPath();
    copyFileSync(original, backup);
    await expectMirrored(postgres, original, copy);
    await fill(postgres, other);
    await expect(refresh(postgres, copy)).rejects.toThrow(
      /mirror of another history .* link \d+ is [0-9a-f]{64} .* and [0-9a-f]{64}/s,
    );
    await postgres.run("delete from link where id > 3");
    await expect(refresh(postgres, copy)).rejects.toThrow(/is [0-9a-f]{64} in the mirror and missing in PostgreSQL/);
    expect(contentsOf(copy)).toEqual(contentsOf(original));
  });

  it("writes to no file but a mirror, makes one of an older program again, and lets one process copy at a time", async () => {
    const postgres = await connected(await newHistory());
    const [original, copy] = [temporaryPath(), temporaryPath()];
    const store = await open(original);
    await hourOf(store, "main", 0, 3);
    await expect(refresh(postgres, original)).rejects.toThrow("is not a mirror");
    writeFileSync(copy, "text");
    await expect(refresh(postgres, copy)).rejects.toThrow("is not an SQLite database");
    const mirrored = temporaryPath();
    await expectMirrored(postgres, original, mirrored);
    const sqlite = new Database(mirrored);
    const last = "(select max(id) from migration)";
    sqlite
      .exec(`delete from migration where id = ${last}; pragma user_version = ${ownMigrations().length - 1}`)
      .close();
    await expectMirrored(postgres, original, mirrored);
    await withMirrorLock(mirrored, async () => {
      await expect(withMirrorLock(mirrored, async () => {})).rejects.toThrow(`Another process copies to ${mirrored}`);
    });
  });

  it("reads only a history of this program's version, and says where it is", async () => {
    const [url, other] = [await newHistory(), await newDatabase()];
    expect(await describeHistory(new Secret(url))).toMatch(/^PostgreSQL at .*, schema bitget is up to date$/);
    expect(await describeHistory(new Secret(other))).toMatch(
      /has no history yet; the first start or collect creates it$/,
    );
    await expect(refresh(await connected(other), temporaryPath())).rejects.toThrow(/has no history/);
  });
});
