/** The checker fails on damage: each of its sentences on a database that was good but for one thing. */
import { chmodSync, closeSync, copyFileSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packDigits } from "../../src/store/schema/encoding.ts";
import type { Finished } from "../support/program.ts";
import { openWorld } from "../support/world.ts";
import { violations } from "./invariants.ts";

const folder = mkdtempSync(join(tmpdir(), "collector-invariants-"));
const healthy = join(folder, "healthy", "collector.db");
const minutes = ["00:01", "00:02", "00:03", "00:04"];

/** Four minutes of one account through the real scheduler, client and store: the third with a product type that fails. */
beforeAll(async () => {
  const schedules = { SCHEDULE_SPOT_ASSETS: "* * * * *", SCHEDULE_POSITIONS: "* * * * *" };
  const world = await openWorld(healthy, "2026-11-01T00:00:30Z", schedules);
  for (const minute of minutes) {
    if (minute === "00:03")
      world.exchange.misbehave({
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

/** A copy with one thing changed in it, by means that ask nobody. */
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

const said = (minute: string, state = "ok"): Finished => ({
  code: 0,
  signal: null,
  stdout: "",
  stderr: `{"account":"main","dataset":"spot-assets","slot":"2026-11-01T${minute}:00.000Z","state":"${state}","items":1}\n`,
});

it("finds nothing in a good database, whose runs were all said", async () => {
  expect(
    await violations(
      healthy,
      minutes.map((minute) => said(minute)),
    ),
  ).toEqual([]);
  expect(await violations(join(folder, "none.db"), [])).toEqual([]);
});

const spot = "(select id from series where dataset = 'spot-assets')";
const nth = (n: number) => `(select id from run where series_id = ${spot} order by slot limit 1 offset ${n})`;

describe("finds", () => {
  it.concurrent.each<[string, string, string]>([
    [
      "pages that do not fit together",
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
      "a run with other rows than its snapshots",
      `update run set rows = rows + 1 where id = ${nth(0)}`,
      "a run whose rows are not those of its snapshots: ",
    ],
    [
      "a snapshot of a run that was missed",
      `update run set state = 'missed' where id = ${nth(0)}`,
      "a snapshot of a run that has none: ",
    ],
    [
      "a snapshot with another number of rows",
      `update snapshot set rows = rows + 1 where run_id = ${nth(1)}; update run set rows = rows + 1 where id = ${nth(1)}`,
      "spot_assets_history shows another number of rows than its snapshot says: ",
    ],
    [
      "one flipped digit",
      `update spot_assets_steady set locked = x'${packDigits("0.1").toString("hex")}' where item_id = 1`,
      "db verify: ",
    ],
  ])("%s", async (_what, sql, sentence) => {
    const path = damaged(sql);
    expect(await violations(path, [])).toContainEqual(expect.stringContaining(sentence));
  });

  it("a run that was said and is not stored, or in another state", async () => {
    const ends = [said("00:01"), said("00:02", "partial"), said("00:09")];
    expect(await violations(healthy, ends)).toEqual([
      "said partial, and is not stored: main spot-assets 2026-11-01T00:02:00.000Z",
      "said ok, and is not stored: main spot-assets 2026-11-01T00:09:00.000Z",
    ]);
  });

  it("a file that others can read, beside the database too", async () => {
    const path = damaged("");
    chmodSync(path, 0o640);
    closeSync(openSync(`${path}.lock`, "w", 0o604));
    expect(await violations(path, [])).toEqual(
      expect.arrayContaining([
        `${basename(path)} can be read by others: 0640`,
        `${basename(path)}.lock can be read by others: 0604`,
      ]),
    );
  });
});
