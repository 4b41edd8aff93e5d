/** The checker detects damage: each kind on a database with exactly one change. */
import { chmodSync, closeSync, copyFileSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packDigits } from "../../src/store/schema/encoding.ts";
import type { Finished } from "../support/program.ts";
import { openWorld } from "../support/world.ts";
import { violations, violationsWithoutVerify } from "./invariants.ts";

const folder = mkdtempSync(join(tmpdir(), "collector-invariants-"));
const healthy = join(folder, "healthy", "collector.db");
const minutes = ["00:01", "00:02", "00:03", "00:04"];

/** Records four minutes of one account with the real scheduler, client and store; in the third, one product type fails. */
beforeAll(async () => {
  const schedules = { SCHEDULE_SPOT_ASSETS: "* * * * *", SCHEDULE_POSITIONS: "* * * * *" };
  const world = await openWorld(healthy, "2026-11-01T00:00:30Z", schedules);
  for (const minute of minutes) {
    if (minute === "00:03")
      world.exchange.injectFault({
        path: "/api/v2/mix/position",
        params: { productType: "COIN-FUTURES" },
        code: "40034",
      });
    await world.at(`2026-11-01T${minute}:00Z`);
  }
  await world.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;

/** Returns a copy with one change made directly in SQLite. */
function damaged(sql: string): string {
  copies += 1;
  const path = join(folder, `copy-${copies}-.db`);
  copyFileSync(healthy, path);
  const database = new Database(path);
  database.unsafeMode(true);
  database.pragma("foreign_keys = off");
  database.pragma("writable_schema = on");
  database.exec(sql);
  database.close();
  return path;
}

const logged = (minute: string, state = "ok"): Finished => ({
  code: 0,
  signal: null,
  stdout: "",
  stderr: `{"account":"main","dataset":"spot-assets","slot":"2026-11-01T${minute}:00.000Z","state":"${state}","items":1}\n`,
});

it("finds nothing in a good database whose runs were all logged", async () => {
  expect(
    await violations(
      healthy,
      minutes.map((minute) => logged(minute)),
    ),
  ).toEqual([]);
  expect(await violations(join(folder, "none.db"), [])).toEqual([]);
});

const spot = "(select id from series where dataset = 'spot-assets')";
const nth = (n: number) => `(select id from run where series_id = ${spot} order by slot limit 1 offset ${n})`;

describe("finds", () => {
  it.each<[string, string, string]>([
    [
      "an inconsistent schema",
      "update sqlite_schema set sql = replace(sql, 'missed', 'ok') where name = 'run_without_snapshot'",
      "integrity_check: ",
    ],
    [
      "a row without its parent",
      `update snapshot set run_id = 999 where run_id = ${nth(1)}`,
      'a row without its parent: {"table":"snapshot"',
    ],
    ["a run that is still running", `update run set state = 'running' where id = ${nth(3)}`, "still running: "],
    [
      "a slot twice",
      `drop index run_slot; insert into run (series_id, slot, state, rows) select series_id, slot, 'missed', null from run where id = ${nth(2)}`,
      'a slot twice: {"account":"main","dataset":"spot-assets","scheduled_for":"2026-11-01T00:03:00.000Z","n":2}',
    ],
    [
      "a slot without its row",
      `delete from run where id = ${nth(1)}`,
      "main spot-assets has no row for 2026-11-01T00:02:00.000Z",
    ],
    [
      "a failed snapshot with rows",
      "update snapshot set rows = 3 where error_code is not null",
      "a failed snapshot with rows: ",
    ],
    [
      "a run with another row count than its snapshots",
      `update run set rows = rows + 1 where id = ${nth(0)}`,
      "a run whose row count differs from its snapshots: ",
    ],
    [
      "a snapshot of a run that was missed",
      `update run set state = 'missed' where id = ${nth(0)}`,
      "a snapshot of a missed or skipped run: ",
    ],
    [
      "a snapshot with another number of rows",
      `update snapshot set rows = rows + 1 where run_id = ${nth(1)}; update run set rows = rows + 1 where id = ${nth(1)}`,
      "spot_assets_history shows another number of rows than its snapshot records: ",
    ],
  ])("%s", (_what, sql, sentence) => {
    expect(violationsWithoutVerify(damaged(sql), [])).toContainEqual(expect.stringContaining(sentence));
  });

  it("one flipped digit, by db verify", async () => {
    const digit = packDigits("0.1").toString("hex");
    const path = damaged(`update spot_assets_steady set locked = x'${digit}' where item_id = 1`);
    expect(await violations(path, [])).toEqual([expect.stringContaining("db verify: ")]);
  });

  it("a run that was logged and is not stored, or stored in another state", () => {
    const ends = [logged("00:01"), logged("00:02", "partial"), logged("00:09")];
    expect(violationsWithoutVerify(healthy, ends)).toEqual([
      "logged as partial but not stored: main spot-assets 2026-11-01T00:02:00.000Z",
      "logged as ok but not stored: main spot-assets 2026-11-01T00:09:00.000Z",
    ]);
  });

  it("a file that others can read, also next to the database", () => {
    const path = damaged("");
    chmodSync(path, 0o640);
    closeSync(openSync(`${path}.lock`, "w", 0o604));
    expect(violationsWithoutVerify(path, [])).toEqual(
      expect.arrayContaining([
        `${basename(path)} can be read by others: 0640`,
        `${basename(path)}.lock can be read by others: 0604`,
      ]),
    );
  });
});
