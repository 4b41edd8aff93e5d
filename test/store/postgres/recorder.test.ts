/** The store in PostgreSQL: the contracts of every store, and what only several processes can do. */
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { StorageError } from "../../../src/core/errors.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { genesis, type RunCells, runColumns, runText } from "../../../src/store/chain/chain.ts";
import { prepareSchema } from "../../../src/store/postgres/migrations.ts";
import { linkDigest } from "../../../src/store/schema/digest.ts";
import type { RunEnd } from "../../../src/store/store.ts";
import { temporaryFolder } from "../../support/files.ts";
import { findPostgres, Server } from "../../support/postgres.ts";
import { storeContract } from "../contract.ts";
import { collect, failed, good, item, minute, start } from "../kit.ts";
import { recordContract } from "../record-contract.ts";
import { connected, describePostgres } from "./kit.ts";
import { databaseTime, newRecordedHistory, recorderAt, setDatabaseTime } from "./recorder-kit.ts";

const spot = snapshotDatasetNamed("spot-assets");

describePostgres("the store in PostgreSQL", () => {
  storeContract(() => {
    const url = newRecordedHistory();
    return async () => recorderAt(await url);
  });

  recordContract(() => {
    const url = newRecordedHistory();
    return async () => recorderAt(await url);
  });

  describe("with several processes", () => {
    it("gives a slot to one of them, and links what they store for an account into one chain", async () => {
      const url = await newRecordedHistory();
      const workers = await Promise.all(["a", "b", "c"].map((worker) => recorderAt(url, { worker })));
      const slots = [0, 1, 2, 3, 4, 5].map((n) => start + n * minute);
      const claims = await Promise.all(
        slots.flatMap((slot) =>
          workers.map(async (worker) => ({ slot, worker, run: await worker.begin("main", spot.name, slot, slot) })),
        ),
      );
      const won = claims.filter(({ run }) => run !== null);
      expect(won.map(({ slot }) => slot).sort()).toEqual(slots);
      await Promise.all(won.map(({ worker, run, slot }) => worker.finish(run ?? 0, endOf(slot, String(slot)))));
      const postgres = await connected(url);
      const links = await postgres.query<{ run_id: number; digest: Buffer }>(
        "select l.run_id, l.digest from link l join account a on a.id = l.chain where a.name = 'main' order by l.id",
      );
      expect(links).toHaveLength(6);
      const cells = new Map(
        (
          await postgres.cells(
            `select ${runColumns.join(", ")} from run join series on series.id = run.series_id
               join account on account.id = series.account_id`,
          )
        ).map((run) => [run[0], run as RunCells]),
      );
      const snapshots = await postgres.query<{ id: number; run_id: number; digest: Buffer }>(
        "select id, run_id, digest from snapshot order by id",
      );
      let previous: Buffer = genesis;
      for (const { run_id, digest } of links) {
        const own = snapshots.filter((one) => one.run_id === run_id);
        previous = linkDigest(previous, runText(cells.get(run_id) ?? [], own));
        expect(digest).toEqual(previous);
      }
    });

    it("compares a snapshot with the last one of any of them", async () => {
      const url = await newRecordedHistory();
      const [one, two] = [await recorderAt(url, { worker: "a" }), await recorderAt(url, { worker: "b" })];
      for (const [n, store] of [one, two, one, one, two].entries())
        await collect(store, spot, start + n * minute, { snapshots: endOf(start, String(n % 4)).snapshots });
      const postgres = await connected(url);
      expect(await postgres.query("select snapshot_id, available from spot_assets_history order by 1")).toEqual(
        ["0", "1", "2", "3", "0"].map((available, at) => ({ snapshot_id: at + 1, available })),
      );
      expect((await one.latest(spot))[0]?.rows).toMatchObject([{ available: "0" }]);
    });

    it("fails the runs of a process that restarts, and those past their deadline; their results are refused", async () => {
      const url = await newRecordedHistory();
      const [one, two] = [
        await recorderAt(url, { worker: "a" }),
        await recorderAt(url, { worker: "b", leaseMs: 2 * minute }),
      ];
      const first = (await one.begin("main", spot.name, start, start)) ?? 0;
      const second = (await two.begin("hedge", spot.name, start, start)) ?? 0;
      expect(await two.sweep()).toBe(0);
      await setDatabaseTime(url, databaseTime + minute + 10_001);
      expect(await two.sweep()).toBe(1);
      expect(await one.finish(first, endOf(start, "1"))).toMatchObject({ state: "failed" });
      expect(await one.latest(spot)).toEqual([]);
      const restarted = await recorderAt(url, { worker: "b" });
      expect(await restarted.recover()).toBe(1);
      expect(await two.finish(second, endOf(start, "1"))).toMatchObject({ state: "failed" });
      const runs = await (await connected(url)).query("select account, state, cause, worker from runs order by run_id");
      expect(runs).toEqual([
        { account: "main", state: "failed", cause: "crashed", worker: "a" },
        { account: "hedge", state: "failed", cause: "crashed", worker: "b" },
      ]);
    });

    it("waits with a slot of the schedule until the clock of the database has reached it", async () => {
      const url = await newRecordedHistory(start - 3000);
      const waits: number[] = [];
      const after = (ms: number, action: () => void) => {
        waits.push(ms);
        void setDatabaseTime(url, start).then(action);
        return () => {};
      };
      const store = await recorderAt(url, { clock: { ...systemClock, after } });
      expect(await store.begin("main", spot.name, start, start)).toBe(1);
      expect(waits).toEqual([3000]);
    });

    it("claims no slot while the clock of the database is far behind, and says so", async () => {
      const store = await recorderAt(await newRecordedHistory(start - 70_000));
      await expect(store.begin("main", spot.name, start, start)).rejects.toThrow(
        /clock of PostgreSQL at .* 70 s behind/,
      );
    });
  });

  describe("while the server is away", () => {
    it("keeps results in memory, and a slot that could not be claimed is closed as missed until it is claimed", async () => {
      const server = await ownServer();
      const url = await preparedUrl(server.folder);
      const store = await recorderAt(url);
      const run = (await store.begin("main", spot.name, start, start)) ?? 0;
      await server.stop();
      await expect(store.finish(run, endOf(start, "1"))).rejects.toThrow(/cannot be reached/);
      await expect(store.begin("main", spot.name, start + minute, start + minute)).rejects.toThrow(StorageError);
      await expect(store.begin("hedge", spot.name, start, start)).rejects.toThrow(StorageError);
      await server.start();
      expect(await store.finish(run, endOf(start, "1"))).toMatchObject({ state: "ok", failures: [] });
      const postgres = await connected(url);
      const runs = () => postgres.query("select account, state, cause from runs order by account, scheduled_for");
      expect(await runs()).toEqual([
        { account: "hedge", state: "missed", cause: "storage" },
        { account: "main", state: "ok", cause: null },
        { account: "main", state: "missed", cause: "storage" },
      ]);
      expect(await store.begin("hedge", spot.name, start, start + 9000)).not.toBeNull();
      expect(await runs()).toContainEqual({ account: "hedge", state: "running", cause: null });
    });

    it.each(["55P03", "40P01", "25006", "53100", "58030"])(
      "keeps results while the server answers %s",
      async (code) => {
        const url = await newRecordedHistory();
        const store = await recorderAt(url);
        const run = (await store.begin("main", spot.name, start, start)) ?? 0;
        const postgres = await connected(url);
        await postgres.run(
          `create function refuse() returns trigger language plpgsql as $$ begin raise exception using errcode = '${code}'; end $$`,
        );
        await postgres.run("create trigger refuse before insert on snapshot execute function refuse()");
        await expect(store.finish(run, endOf(start, "1"))).rejects.toThrow(StorageError);
        await postgres.run("drop trigger refuse on snapshot");
        expect(await store.finish(run, endOf(start, "1"))).toMatchObject({ state: "ok" });
      },
    );

    it("takes a claim over whose commit was not confirmed", async () => {
      const url = await newRecordedHistory();
      const proxy = await proxyTo(url);
      const store = await recorderAt(proxy.url);
      proxy.loseNextCommit();
      await expect(store.begin("main", spot.name, start, start)).rejects.toThrow(StorageError);
      expect(await store.begin("main", spot.name, start, start + 1000)).toBe(1);
      expect(await store.finish(1, endOf(start, "1"))).toMatchObject({ state: "ok" });
    });

    it("stores a run once whose commit was not confirmed", async () => {
      const url = await newRecordedHistory();
      const proxy = await proxyTo(url);
      const store = await recorderAt(proxy.url);
      const run = (await store.begin("main", spot.name, start, start)) ?? 0;
      proxy.loseNextCommit();
      await expect(store.finish(run, endOf(start, "1"))).rejects.toThrow(StorageError);
      expect(await store.finish(run, endOf(start, "1"))).toMatchObject({ state: "ok" });
      await collect(store, spot, start + minute, { snapshots: endOf(start, "1").snapshots });
      const rows = await (await connected(url)).query("select snapshot_id, available from spot_assets_history");
      expect(rows).toEqual([1, 2].map((snapshot_id) => ({ snapshot_id, available: "1" })));
    });
  });

  it("shares a transaction among what happens to an account at the same time; what fails takes nothing with it", async () => {
    const url = await newRecordedHistory();
    const store = await recorderAt(url);
    const postgres = await connected(url);
    const transactions = async () =>
      Number((await postgres.cells("select count(distinct xmin::text) from run"))[0]?.[0]);
    const slots = [0, 1, 2].map((n) => start + n * minute);
    const runs = await Promise.all(slots.map((slot) => store.begin("main", spot.name, slot, slot)));
    expect(await transactions()).toBe(1);
    // Two snapshots of one scope are a mistake of the caller.
    const [snapshot] = endOf(start, "9").snapshots;
    const ends = slots.map((slot, at) => ({
      ...endOf(slot, "1"),
      ...(at === 1 ? { snapshots: Array(2).fill(snapshot) } : {}),
    }));
    const ended = await Promise.allSettled(runs.map((run, at) => store.finish(run ?? 0, ends[at] as RunEnd)));
    expect(ended.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    // The next write ends the run that failed.
    await store.setSchedule("main", spot.name, "* * * * *", start);
    expect(await postgres.cells("select state, cause from runs order by scheduled_for_ms")).toEqual([
      ["ok", null],
      ["failed", "internal"],
      ["ok", null],
    ]);
  });

  it("stores no character that PostgreSQL refuses: a value is a failure, a message is stored without it", async () => {
    const url = await newRecordedHistory();
    const store = await recorderAt(url);
    const bad = good([item(spot, { coin: "BTC\0", available: "1" })], start);
    const failure = { ...failed("tls", start, "umcbl"), message: "no\0answer" };
    await collect(store, spot, start, { snapshots: [bad], failures: [failure] });
    const rows = await (await connected(url)).query(
      "select error_code, error_message from snapshots order by snapshot_id",
    );
    expect(rows).toMatchObject([
      { error_code: "tls", error_message: "no\ufffdanswer" },
      { error_code: "shape", error_message: expect.stringContaining("coin: has the character U+0000") },
    ]);
  });

  it("does not record into the copy of an SQLite history", async () => {
    const url = await newRecordedHistory();
    await (await connected(url)).run("insert into shipped values (1, 0, 0, '', 0)");
    await expect(recorderAt(url)).rejects.toThrow(/copy of an SQLite history.*schema=NAME/);
  });
});

const endOf = (slot: number, available: string): RunEnd => ({
  ...{ dataset: spot, snapshots: [good([item(spot, { coin: "BTC", available })], slot)], failures: [], skipped: false },
  ...{ cause: null, finishedAt: slot + 300, requests: 1, retries: 0, spreadMs: null, skewMs: null },
});

/** Starts a server that the test may stop. */
async function ownServer(): Promise<Server> {
  const server = new Server(findPostgres() ?? "");
  onTestFinished(() => server.remove());
  await server.start();
  return server;
}

/** Creates a history on a server. Returns its URL. */
async function preparedUrl(folder: string): Promise<string> {
  const url = `postgres://postgres@${encodeURIComponent(folder)}/postgres`;
  await prepareSchema(await connected(url), datasets);
  await setDatabaseTime(url, databaseTime);
  return url;
}

/** Starts a proxy in front of the server of a database. */
async function proxyTo(url: string) {
  const socket = ".s.PGSQL.5432";
  const folder = temporaryFolder();
  const target = new URL(url);
  let isArmed = false;
  const proxy = createServer((client) => {
    const server = createConnection(join(decodeURIComponent(target.hostname), socket));
    let isLost = false;
    client.on("data", (bytes) => {
      isLost ||= isArmed && bytes.includes("commit");
      if (isLost) isArmed = false;
      server.write(bytes);
    });
    // The server has committed; its confirmation does not arrive.
    server.on("data", (bytes) => (isLost ? client.destroy() : client.write(bytes)));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      one.on("error", () => {}).on("close", () => other.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(join(folder, socket), resolve));
  onTestFinished(() => void proxy.close());
  return {
    url: url.replace(/@[^/]*/, `@${encodeURIComponent(folder)}`),
    loseNextCommit() {
      isArmed = true;
    },
  };
}
