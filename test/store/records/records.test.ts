/** Tests records of incremental datasets in SQLite: the interface, the view, and that every alteration is found. */
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { RecordWriter } from "../../../src/store/records/record-writer.ts";
import { viewsOf } from "../../../src/store/schema/views.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { bills } from "../../support/bills.ts";
import { change, collect, failed, query, storeAt } from "../kit.ts";
import { at, batch, bill, recordContract } from "../record-contract.ts";
import { open, temporaryPath } from "../temporary.ts";

recordContract(() => {
  const path = temporaryPath();
  return () => storeAt(path);
});

const hole = { from: 0, to: at(-60) };
const window = { from: at(1), to: at(2), cursor: "3" };

/** Stores three runs: a first one, an incomplete one, and one that continues it. */
async function seeded() {
  const path = temporaryPath();
  const store = await open(path);
  await collect(store, bills, at(1), { snapshots: [batch(1, [bill(1), bill(2)], { hole })] });
  const cut = batch(2, [bill(2), { ...bill(3), extra: { reward: "0.10" } }], { through: at(1), window });
  await collect(store, bills, at(2), { snapshots: [cut], failures: [failed("deadline", at(2), "umcbl")] });
  await collect(store, bills, at(3), { snapshots: [batch(3, [bill(3), bill(4), bill(1, { fee: "-0.10" })])] });
  return { path, store };
}

it("unaltered records verify, and each belongs to the run that stored it", async () => {
  const { path } = await seeded();
  expect(await verify(path, [bills])).toMatchObject({ problems: [], runs: 3, snapshots: 4, rows: 5 });
  expect(query(path, "select bill_id, fee, version, run_id, extra from bills order by run_id, bill_id")).toEqual([
    { bill_id: "1", fee: "0", version: 0, run_id: 1, extra: null },
    { bill_id: "2", fee: "0", version: 0, run_id: 1, extra: null },
    { bill_id: "3", fee: "0", version: 0, run_id: 2, extra: '{"reward":"0.10"}' },
    { bill_id: "1", fee: "-0.10", version: 1, run_id: 3, extra: null },
    { bill_id: "4", fee: "0", version: 0, run_id: 3, extra: null },
  ]);
  expect(query(path, "select state, cause, rows from runs order by run_id")).toEqual([
    { state: "ok", cause: null, rows: 2 },
    { state: "partial", cause: "deadline", rows: 1 },
    { state: "ok", cause: null, rows: 2 },
  ]);
});

it.each([
  [
    "main bills: snapshot 1 (bills_record): is not what was received: check 1, 2, its header",
    "update bills_record set amount = x'a1b51f' where bill_id = 1 and version = 0",
  ],
  ["check 1, 4", "update bills_record set fee = x'ab20' where version = 1"],
  ["check 3", 'update bills_record set extra = \'{"reward":"0.20"}\' where bill_id = 3'],
  ["snapshot 2", "update bills_record set at = at + 1 where bill_id = 3"],
  ["snapshot 1", "delete from bills_record where bill_id = 2"],
  [
    "snapshot 2",
    "insert into bills_record (scope_id, bill_id, at, type, coin, version, snapshot_id) select scope_id, '9', at, type, coin, 0, 2 from bills_record where bill_id = 3",
  ],
  ["snapshot 2", "update bills_record set snapshot_id = 2 where bill_id = 4"],
  [
    "3 (bills_record.snapshot_id): came with 3, which is not a good snapshot",
    "update bills_record set snapshot_id = 3 where bill_id = 3",
  ],
  ["snapshot 2", "update reading set through = through + 1 where snapshot_id = 2"],
  ["snapshot 2", "update reading set cursor = '4' where snapshot_id = 2"],
  ["snapshot 1", "update reading set hole_to = null where snapshot_id = 1"],
  ["snapshot 4", "delete from reading where snapshot_id = 4"],
  ["snapshot 4 (snapshot.rows)", "update snapshot set rows = 1 where id = 4"],
])("verification finds %s", async (named, sql) => {
  const { path, store } = await seeded();
  store.close();
  expect(change(path, sql)).toBe(1);
  expect((await verify(path, [bills])).problems.join("\n")).toContain(named);
});

it("every state of a changing record is stored, and the newest is compared and shown", async () => {
  const { path } = await seeded();
  const states = ["0", "-1", "0"];
  const moving = { ...bills, changes: true as const };
  const sqlite = new Database(path);
  const writer = new RecordWriter(sqlite);
  for (const fee of states) {
    const plan = writer.plan(moving, 1, batch(5, [bill(8, { fee }), bill(8, { fee })]));
    expect(plan.changed).toEqual([]);
    writer.write(
      sqlite.prepare("insert into snapshot (run_id, scope_id, taken_at, rows, digest) values (1, 1, 0, 0, x'00')").run()
        .lastInsertRowid as number,
      plan,
    );
  }
  sqlite.close();
  expect(query(path, "select fee, version from bills where bill_id = '8' order by version")).toEqual(
    states.map((fee, version) => ({ fee, version })),
  );
  const [, newest] = viewsOf([moving]).get("bills")?.split(" AS\n") ?? [];
  expect(query(path, `select bill_id, fee, version from (${newest}) order by bill_id`)).toEqual([
    { bill_id: "1", fee: "-0.10", version: 1 },
    ...["2", "3", "4"].map((bill_id) => ({ bill_id, fee: "0", version: 0 })),
    { bill_id: "8", fee: "0", version: 2 },
  ]);
});
