import { copyFileSync } from "node:fs";
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import type { UnrunSlot } from "../../../src/store/runs/run-ledger.ts";
import { ownMigrations } from "../../../src/store/sqlite/migrations.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { change, coins, collect, failed, good, item, minute, query, start } from "../kit.ts";
import { older, open, temporaryPath } from "../temporary.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");
const positions = snapshotDatasetNamed("positions");
const at = (n: number): number => start + n * minute;
const missed = (...slots: number[]): UnrunSlot[] =>
  slots.map((n) => ({ slot: at(n), state: "missed", cause: "not running" }));

const position = (markPrice: string, extra: Record<string, string> | null = null) =>
  item(positions, { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", markPrice }, extra);

const linksOf = (path: string) => query(path, "select run_id as run, note from link order by id");

/** Records a few minutes that fill every table, with a missed slot that was run after all. Returns the path. */
async function seeded(): Promise<string> {
  const path = temporaryPath();
  const store = await open(path);
  await store.setApiVersion("main", "v2", at(-1), "first seen");
  await store.setSchedule("main", "spot-assets", "*/2 * * * *", at(-2));
  await store.setSchedule("main", "spot-assets", "* * * * *", at(-1));
  await store.setSchedule("main", "positions", "* * * * *", at(-1));
  await collect(store, spotAssets, at(0), { snapshots: [good(coins(10).slice(0, 3), at(0))] });
  await store.closeSlots("main", "spot-assets", missed(1, 2));
  await collect(store, spotAssets, at(1), { snapshots: [good(coins(20).slice(1, 3), at(1))] });
  await collect(store, positions, at(0), {
    snapshots: [good([position("61250.4", { note: "new" })], at(0), "umcbl"), good([], at(0), "unified")],
  });
  const failures = [failed("timeout", at(1), "dmcbl")];
  await collect(store, positions, at(1), { snapshots: [good([position("61250.5")], at(1), "umcbl")], failures });
  await collect(store, positions, at(2), { snapshots: [good([position("61250.5")], at(2), "umcbl")] });
  await store.begin("main", "positions", at(3), at(3) + 20);
  await store.recover();
  store.close();
  return path;
}

describe("the chain", () => {
  it("has a link for each run that ended, and a note for each change without a run", async () => {
    const path = await seeded();
    const found = await verify(path, datasets);
    expect(found).toMatchObject({ problems: [], due: 7, accounted: 7 });
    expect(linksOf(path).map(({ run, note }) => note ?? run)).toEqual([
      '["account_mode",1,"main",1793491140000,"v2","first seen"]',
      '["schedule","main","spot-assets",1793491080000,"*/2 * * * *",null]',
      '["schedule","main","spot-assets",1793491080000,"*/2 * * * *",1793491140000]',
      '["schedule","main","spot-assets",1793491140000,"* * * * *",null]',
      '["schedule","main","positions",1793491140000,"* * * * *",null]',
      1,
      2,
      3,
      '["run","missed","not running"]',
      2,
      4,
      5,
      6,
      7,
    ]);
    const last = query(path, "select null as account, lower(hex(digest)) as digest from link order by id desc limit 1");
    expect(found.heads).toEqual(last);
  });

  it("covers five hundred slots closed in one write, and a write that was deferred", async () => {
    const path = temporaryPath();
    const store = await open(path);
    await store.setSchedule("main", "spot-assets", "* * * * *", at(-1));
    await store.closeSlots("main", "spot-assets", missed(...Array.from({ length: 500 }, (_, n) => n)));
    change(path, "create trigger full before insert on link begin select raise(abort, 'full'); end");
    await expect(store.closeSlots("main", "spot-assets", missed(500))).rejects.toThrow();
    expect(query(path, "select count(*) as n from run")).toEqual([{ n: 500 }]);
    change(path, "drop trigger full");
    await store.closeSlots("main", "spot-assets", missed(501));
    expect(await verify(path, datasets)).toMatchObject({ problems: [], due: 502, accounted: 502 });
  });

  it("continues from the stored links if one of several runs in a transaction is rolled back", async () => {
    const path = temporaryPath();
    const store = await open(path);
    change(
      path,
      "create trigger full before update of took_ms on run when new.id = 2 begin select raise(abort, 'full'); end",
    );
    const ends = [0, 1, 2].map((n) => collect(store, spotAssets, at(n), { snapshots: [good(coins(n), at(n))] }));
    await Promise.allSettled(ends);
    change(path, "drop trigger full");
    await store.closeSlots("main", "spot-assets", missed(3));
    expect((await verify(path, datasets)).problems).toEqual([]);
    expect(query(path, "select state from run order by id")).toEqual(
      ["ok", "failed", "ok", "missed"].map((state) => ({ state })),
    );
  });

  it("reveals a due slot without a run, even if all later links were deleted too", async () => {
    const path = await seeded();
    change(path, "delete from link where run_id = 7");
    change(path, "delete from run where id = 7");
    const { problems, due, accounted } = await verify(path, datasets);
    expect(problems).toContain("2026-11-01T00:03:00.000Z main positions (run): was due, but has no run");
    expect([due, accounted]).toEqual([7, 6]);
  });

  it.each([
    [
      "2026-11-01T00:00:00.000Z link 6 (link): does not follow from run 1, its snapshots",
      "update run set late_ms = 21 where id = 1",
    ],
    ["does not follow from run 1, its snapshots", "update run set skew_ms = 13 where id = 1"],
    ["2026-11-01T00:01:00.000Z link 7 (link)", "delete from link where id = 6"],
    [
      "2026-11-01T00:02:00.000Z link 8 (link): does not follow from run 3",
      "update run set cause = 'not runnint' where id = 3",
    ],
    ["link 9 (link)", 'update link set note = \'["run","missed","not runnint"]\' where id = 9'],
    ["run 7 (run): has ended, but has no link", "delete from link where id = 14"],
    [
      "main positions 1793491140000 (schedule.pattern): is */3 * * * *, and was * * * * *",
      "update schedule set pattern = '*/3 * * * *' where series_id = 2",
    ],
    ["1 (account_mode.api): is v3, and was v2", "update account_mode set api = 'v3'"],
    [
      "main positions (series.accounted_to): is 1793491320000, expected 1793491380000",
      "update series set accounted_to = accounted_to - 60000 where id = 2",
    ],
    [
      "main spot-assets: snapshot 1 (spot_assets): is not what was received: check COIN0, COIN1, COIN2, its header",
      "update spot_assets_steady set available = x'11' where item_id = 2 and since = 1",
    ],
    [
      "main positions: snapshot 3 (positions): is not what was received: check BTCUSDT USDT long crossed, its header",
      "update positions_moving set mark_price = x'61251b4f' where since = 3",
    ],
    [
      "main positions: snapshot 6 (snapshot): is not what was received: check its header",
      "update snapshot set error_message = 'no answer: timeouf' where error_code = 'timeout'",
    ],
    [
      "snapshot 1 (snapshot.error_message): a good snapshot must have none",
      "update snapshot set error_message = 'in doubt' where id = 1",
    ],
  ])("verification reports an alteration: %s", async (named, sql) => {
    const path = await seeded();
    expect(change(path, sql)).toBeGreaterThan(0);
    expect((await verify(path, datasets)).problems.join("\n")).toContain(named);
  });
});

describe("a chain for each account, as several machines record it", () => {
  /** Records two accounts in turn, and public prices. The first link of the file determines that each account has a chain. Returns the path. */
  async function ofSeveral(): Promise<string> {
    const path = temporaryPath();
    const first = await open(path);
    await first.setApiVersion("main", "v2", at(-1), "first seen");
    first.close();
    change(path, "update link set chain = 1");
    const named = "when new.state = 'running' begin update run set worker = 'north' where id = new.id; end";
    change(path, `create trigger begun after insert on run ${named}`);
    change(path, `create trigger claimed after update of state on run ${named}`);
    const store = await open(path);
    for (const account of ["main", "second"]) await store.setSchedule(account, "spot-assets", "* * * * *", at(-1));
    for (const n of [0, 1])
      for (const account of ["main", "second"])
        await collect(store, spotAssets, at(n), { snapshots: [good(coins(10 + n).slice(0, 3), at(n))] }, account);
    await store.closeSlots("second", "spot-assets", missed(2));
    await collect(store, spotAssets, at(2), { snapshots: [good(coins(30).slice(0, 2), at(2))] }, "second");
    await store.closeSlots("main", "spot-assets", missed(2));
    change(path, "drop trigger begun");
    change(path, "drop trigger claimed");
    return path;
  }

  it("continues each chain, with notes and claimed slots, and has a head for each", async () => {
    const path = await ofSeveral();
    expect(query(path, "select chain, count(*) as links from link group by chain")).toEqual([
      { chain: 1, links: 5 },
      { chain: 2, links: 6 },
    ]);
    const { problems, heads, due, accounted } = await verify(path, datasets);
    expect([problems, due, accounted]).toEqual([[], 6, 6]);
    const head = "select lower(hex(digest)) as digest from link where chain = ? order by id desc limit 1";
    expect(heads).toEqual([
      { account: "main", ...query(path, head.replace("?", "1"))[0] },
      { account: "second", ...query(path, head.replace("?", "2"))[0] },
    ]);
  });

  it("is valid with missing ids, and in any order of the accounts' commits", async () => {
    const path = await ofSeveral();
    change(path, "update link set id = 100 + id where chain = 2");
    expect((await verify(path, datasets)).problems).toEqual([]);
  });

  it.each([
    ["link 7 (link): does not follow", "delete from link where id = 5"],
    ["link 5 (link): does not follow from run 2", "update run set rows = 4 where id = 2"],
    ["link 5 (link): does not follow", "update link set chain = 1 where id = 5"],
    ["link 2 (link.chain): is not the chain of its account", "update link set chain = 3 where chain = 1"],
    ["run 4 (run): has ended, but has no link", "delete from link where id = 7"],
    ["does not follow from run 5", "update run set worker = 'south' where id = 5"],
  ])("verification finds %s", async (named, sql) => {
    const path = await ofSeveral();
    expect(change(path, sql)).toBeGreaterThan(0);
    expect((await verify(path, datasets)).problems.join("\n")).toContain(named);
  });
});

/** The tables that the digests and the chain cover. */
const tables = [
  ...["account", "account_mode", "series", "schedule", "scope", "run", "snapshot", "link"],
  ...["spot_assets", "positions"].flatMap((prefix) => ["item", "steady"].map((part) => `${prefix}_${part}`)),
  ...["positions_moving", "positions_extra"],
];

/** Changes one byte of one cell. Returns null if the cell has none. */
function flip(path: string, table: string, pick: (below: number) => number, mask: number): string | null {
  const sqlite = new Database(path);
  try {
    sqlite.pragma("foreign_keys = OFF");
    const columns = sqlite.prepare(`select name from pragma_table_info('${table}')`).pluck().all() as string[];
    const rows = sqlite.prepare(`select * from ${table}`).all() as Record<string, unknown>[];
    const row = rows[pick(rows.length)] ?? {};
    const column = columns[pick(columns.length)] ?? "";
    const value = row[column];
    if (value === null || value === "") return null;
    const altered = flipped(value, pick, mask);
    const key = columns.map((name) => `${name} is ?`).join(" and ");
    const cast = typeof value === "string" ? "cast(? as text)" : "?";
    sqlite.prepare(`update ${table} set ${column} = ${cast} where ${key}`).run(altered, ...Object.values(row));
    return `${table}.${column}`;
  } catch (error) {
    if (String(error).includes("UNIQUE")) return null;
    throw error;
  } finally {
    sqlite.close();
  }
}

function flipped(value: unknown, pick: (below: number) => number, mask: number): Buffer | bigint {
  if (typeof value === "number") return BigInt(value) ^ (BigInt(mask) << BigInt(8 * pick(6)));
  const bytes = Buffer.from(value as string | Buffer);
  const at = pick(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  return bytes;
}

it.each(tables)("verification finds one flipped byte anywhere in %s, and names the table", async (table) => {
  const original = await seeded();
  const random = fc.nat({ max: 0xffff });
  await fc.assert(
    fc.asyncProperty(
      fc.array(random, { minLength: 3, maxLength: 3 }),
      fc.integer({ min: 1, max: 255 }),
      async (picks, mask) => {
        const left = [...picks];
        const path = temporaryPath();
        copyFileSync(original, path);
        const where = flip(path, table, (below) => (left.pop() ?? 0) % below, mask);
        if (where === null) return;
        const { problems } = await verify(path, datasets);
        expect(problems.length, where).toBeGreaterThan(0);
        expect(problems.join("\n"), where).toMatch(
          new RegExp(`${table}|${table.replace(/_(item|steady|moving|extra)$/, "")}`),
        );
      },
    ),
    { numRuns: 12 },
  );
});

describe("a database that was created without a chain", () => {
  it("gets a link for every run that had ended, and loses nothing on migration", async () => {
    const path = older("0000");
    const before = ["run", "snapshot", "positions_history", "spot_assets_history"].map((name) =>
      query(path, `select * from ${name}`),
    );
    const store = await open(path);
    const own = ownMigrations().length;
    expect(store.opening).toEqual({ migrations: own - 1, backup: `${path}.before-${own}` });
    expect(
      ["run", "snapshot", "positions_history", "spot_assets_history"].map((name) =>
        query(path, `select * from ${name}`),
      ),
    ).toMatchObject(before);
    expect(linksOf(path).map(({ run, note }) => note ?? run)).toEqual([
      '["schedule","main","spot-assets",1793491080000,"*/2 * * * *",1793491140000]',
      '["schedule","main","spot-assets",1793491140000,"* * * * *",null]',
      '["schedule","main","positions",1793491140000,"* * * * *",null]',
      '["account_mode",1,"main",1793491200000,"v2","first seen"]',
      ...[1, 2, 3, 4, 5, 6, 7],
    ]);
    expect(await verify(path, datasets)).toMatchObject({ problems: [], runs: 8, due: 8, accounted: 8 });
  });

  it("continues one chain: older missed slots can be claimed, and an interrupted run can be failed", async () => {
    const path = older("0000");
    const store = await open(path);
    expect(await store.recover()).toBe(1);
    await collect(store, spotAssets, at(2), { snapshots: [good(coins(12), at(2))] });
    expect((await verify(path, datasets)).problems).toEqual([]);
    change(path, "update run set cause = 'not runnimg' where id = 4");
    expect((await verify(path, datasets)).problems).toEqual([
      expect.stringMatching(
        /^2026-11-01T00:01:00.000Z link \d+ \(link\): does not follow from run 4, its snapshots and /,
      ),
    ]);
  });
});
