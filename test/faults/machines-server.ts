/** PostgreSQL that is cut off, full, read-only or newer than the program: rows M6 to M10. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { contentsOf } from "../store/postgres/fill.ts";
import { findPostgres } from "../support/postgres.ts";
import { seconds } from "../support/wait.ts";
import { canMount, type Disk, mountDisk } from "./disks.ts";
import { namesOf, rowOfMachines, startServer, statesOf } from "./machines.ts";
import { row, rowElsewhere } from "./row.ts";
import { nextRun } from "./runs.ts";
import { startWire } from "./wire.ts";

const megabyte = 1_000_000;
const minutes = 60;

rowOfMachines(
  "M6",
  "one of three machines is cut off from PostgreSQL, not from the exchange",
  { timeoutSeconds: 5 * minutes },
  async (machines) => {
    const wire = await startWire(machines.bench, machines.server.folder);
    const cutOff = await machines.start("cut-off", { DATABASE_URL: wire.url });
    await machines.startAll(["one", "two"]);
    const slot = await machines.heldSlot();
    wire.cut();
    const runs = machines.runsOn(cutOff, slot);
    machines.release();
    expect(statesOf(await machines.ended(machines.slotAfter(slot)))).toEqual(["ok"]);
    const ended = await machines.ended(slot);
    expect(namesOf(ended.filter(({ cause }) => cause === "crashed"))).toEqual(runs);
    wire.restore();
    // It notices when its statements have had no answer for a minute.
    await cutOff.running.printed("cannot be reached (Query read timeout)");
    await machines.collectsAgain("cut-off", slot);
    expect(await machines.ended(slot)).toEqual(ended);
  },
);

const isFound = findPostgres() !== null;
const rowWithPostgres: typeof row = isFound ? row : (id, fault) => rowElsewhere(id, fault, "needs PostgreSQL");

rowWithPostgres(
  "M7",
  "`start` is cut off from the PostgreSQL that it copies to",
  { timeoutSeconds: 5 * minutes },
  async (bench) => {
    const server = await startServer(bench);
    const wire = await startWire(bench, server.folder);
    const direct = `postgres://postgres@${encodeURIComponent(server.folder)}/postgres`;
    const daemon = await bench.start({ SHIP_DATABASE_URL: wire.url });
    await nextRun(daemon, "spot-assets", "ok");
    const isUpToDate = async () =>
      (await bench.run(["status"], { SHIP_DATABASE_URL: direct })).stdout.includes("schema bitget: up to date");
    while (!(await isUpToDate())) await seconds(0.2);
    wire.cut();
    await daemon.printed("Collecting continues");
    expect(daemon.output().stderr).toContain("cannot be reached (Query read timeout)");
    const missed = bench.rows("select * from runs where state <> 'ok' and cause is not 'overlap'");
    expect(missed).toEqual([]);
    wire.restore();
    await daemon.printed("has everything again");
    await nextRun(daemon, "spot-assets", "ok");
    expect((await bench.stop(daemon)).code).toBe(0);
    expect((await bench.run(["db", "ship"], { SHIP_DATABASE_URL: direct })).code).toBe(0);
    const copy = join(bench.folder, "copy.db");
    expect((await bench.run(["db", "mirror", "--out", copy], { DATABASE_URL: direct })).code).toBe(0);
    expect(contentsOf(copy)).toEqual(contentsOf(bench.path));
  },
);

if (canMount) {
  let disk: Disk;
  rowOfMachines(
    "M8",
    "the disk of PostgreSQL is full",
    {
      folderOfServer(bench) {
        // The server has another user, who may not read the folder of the row.
        const folder = mkdtempSync(join(tmpdir(), "collector-disk-"));
        bench.onEnd(() => rmSync(folder, { recursive: true }));
        disk = mountDisk(bench, folder, 200 * megabyte);
        return folder;
      },
    },
    async (machines) => {
      const machine = await machines.start("one");
      disk.fill();
      const full = Date.now();
      await machine.running.printed(/No space left on device \(53100\)|cannot be reached/);
      await seconds(12);
      disk.free();
      // It may have ended because of the full disk.
      await machines.server.stop();
      await machines.server.start();
      expect(statesOf(await machines.ended(machines.slotAfter(Date.now() + 1000)))).toEqual(["ok"]);
      const unusual = await machines.query(
        `select distinct state, cause from runs where state <> 'ok' and scheduled_for_ms > ${full - 20_000}`,
      );
      expect([[], [{ state: "missed", cause: "storage" }]]).toContainEqual(unusual);
    },
  );
} else rowElsewhere("M8", "the disk of PostgreSQL is full", "needs root, to mount a small disk");

rowOfMachines(
  "M9",
  "PostgreSQL becomes a standby that can only be read, and is promoted 10 s later",
  { period: 30 },
  async (machines) => {
    const [machine] = await machines.startAll(["one", "two"]);
    const slot = machines.slotAfter(Date.now() + 8000);
    await seconds((slot - 6000 - Date.now()) / 1000);
    await machines.server.stop();
    machines.server.becomeStandby();
    await machines.server.start();
    await machine?.running.printed(/read-only transaction|recovery/);
    await seconds((slot + 4000 - Date.now()) / 1000);
    await machines.query("select pg_promote()");
    expect(statesOf(await machines.ended(slot))).toEqual(["ok"]);
    expect(statesOf(await machines.ended(slot + 30_000))).toEqual(["ok"]);
  },
);

rowOfMachines("M10", "the schema is newer than the program", { inEveryRun: true }, async (machines) => {
  const { bench } = machines;
  const { running } = await machines.start("old");
  expect((await bench.stop(running)).code).toBe(0);
  const stored = () => machines.query("select * from run order by id");
  const before = await stored();
  await machines.query("insert into migration select max(id) + 1, 'newer', 0 from migration");
  for (const command of ["start", "collect", "status"]) {
    const { code, stderr } = await bench.run([command], machines.settings("old"));
    expect([command, code, stderr]).toEqual([command, 78, expect.stringContaining("is newer than this program.")]);
  }
  expect(await stored()).toEqual(before);
  await machines.query("delete from migration where hash = 'newer'");
});
