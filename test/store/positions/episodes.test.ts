import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Item, Row, Scope } from "../../../src/core/domain.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { fillEpisodes } from "../../../src/store/positions/rebuild.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { type Cells, referenceEpisodes, type SnapshotRows } from "../../support/reference-episodes.ts";
import { createWorld } from "../../support/world.ts";
import { change, collect, failed, good, item, minute, query, start } from "../kit.ts";
import { older, open, temporaryPath } from "../temporary.ts";

const positions = snapshotDatasetNamed("positions");
const at = (n: number): number => start + n * minute;
const iso = (n: number): string => new Date(at(n)).toISOString();

/** What is known of closed positions only. */
const ofClosed = [
  ...["position_id", "closed_at", "close_average_price", "size", "net_profit", "held_ms", "verdict", "difference"],
  ...["bills_realized_pl", "bills_funding", "bills_fees", "bills_net_profit"],
];

const position = (cells: Row = {}): Item =>
  item(positions, {
    symbol: "BTCUSDT",
    marginCoin: "USDT",
    holdSide: "long",
    marginMode: "crossed",
    openedAt: at(-10),
    ...cells,
  });

type Response = Item[] | "failed";

/**
 * Collects one snapshot of umcbl per minute and, if it is good, an empty one of dmcbl a moment later. The store is
 * reopened before each minute of `restarts`. Returns the path.
 */
async function record(responses: readonly Response[], restarts: readonly number[] = []): Promise<string> {
  const path = temporaryPath();
  let store = await open(path);
  for (const [n, response] of responses.entries()) {
    if (restarts.includes(n)) {
      store.close();
      store = await open(path);
    }
    const end =
      response === "failed"
        ? { failures: [failed("timeout", at(n), "umcbl")] }
        : { snapshots: [good(response, at(n), "umcbl"), good([], at(n) + 7, "dmcbl")] };
    await collect(store, positions, at(n), end);
  }
  store.close();
  return path;
}

const episodes = (path: string, columns: string) =>
  query(path, `select ${columns} from position_episodes order by first_seen_at, hold_side, closed_before nulls last`);

const problemsOf = async (path: string): Promise<string[]> => (await verify(path, datasets)).problems;

describe("an episode", () => {
  it("is one row that describes a whole position lifecycle", async () => {
    const path = await record([
      [
        position({
          total: "1.50",
          averageOpenPrice: "61000",
          unrealizedPl: "-3.10",
          achievedProfits: "0",
          deductedFee: "0.5",
          markPrice: "60000",
          liquidationPrice: "50000",
        }),
      ],
      [
        position({
          total: "0.9",
          averageOpenPrice: "61000.5",
          unrealizedPl: "12",
          achievedProfits: "7.25",
          totalFunding: "-0.10",
          deductedFee: "0.90",
          markPrice: "64000",
          liquidationPrice: "50000",
        }),
      ],
    ]);
    expect(episodes(path, "*")).toEqual([
      {
        account: "main",
        product_type: "umcbl",
        symbol: "BTCUSDT",
        margin_coin: "USDT",
        hold_side: "long",
        margin_mode: "crossed",
        state: "open",
        opened_at: "2026-10-31T23:50:00.000Z",
        first_seen_at: "2026-11-01T00:00:00.000Z",
        last_seen_at: "2026-11-01T00:01:00.000Z",
        closed_after: null,
        closed_before: null,
        largest_total: "1.50",
        average_open_price: "61000.5",
        worst_unrealized_pl: "-3.10",
        best_unrealized_pl: "12",
        closest_liquidation: "0.1666666666666667",
        realized_pl: "7.25",
        funding: "-0.10",
        fees: "0.90",
        realized_pl_seen: "7.25",
        funding_seen: "-0.10",
        fees_seen: "0.90",
        first_seen_at_ms: at(0),
        last_seen_at_ms: at(1),
        seen: 1,
        ...Object.fromEntries(ofClosed.map((name) => [name, null])),
      },
    ]);
  });

  it("ends between the last snapshot with it and the first without; the result is unknown, its last value is kept", async () => {
    const values = { achievedProfits: "7.25", totalFunding: "-0.10", deductedFee: "0.90" };
    const path = await record([[position()], [position(values)], []]);
    const ends = "state, last_seen_at, closed_after, closed_before";
    const results = "realized_pl, funding, fees, realized_pl_seen, funding_seen, fees_seen";
    expect(episodes(path, `${ends}, ${results}`)).toEqual([
      {
        state: "closed",
        last_seen_at: iso(1),
        closed_after: iso(1),
        closed_before: iso(2),
        realized_pl: null,
        funding: null,
        fees: null,
        realized_pl_seen: "7.25",
        funding_seen: "-0.10",
        fees_seen: "0.90",
      },
    ]);
  });

  it("continues through a failed snapshot, a restart and a partial close", async () => {
    const path = await record([[position({ total: "2" })], "failed", [position({ total: "0.5" })], []], [1, 2, 3]);
    expect(episodes(path, "largest_total, closed_after, closed_before")).toEqual([
      { largest_total: "2", closed_after: iso(2), closed_before: iso(3) },
    ]);
    expect(await problemsOf(path)).toEqual([]);
  });

  it("is not closed by a failed snapshot before an empty one", async () => {
    const path = await record([[position()], "failed", []]);
    expect(episodes(path, "closed_after, closed_before")).toEqual([{ closed_after: iso(0), closed_before: iso(2) }]);
  });

  it("of a flipped position is followed by one of the other side", async () => {
    const short = position({ holdSide: "short", openedAt: at(1) });
    const path = await record([[position()], [short]]);
    expect(episodes(path, "hold_side, state, first_seen_at, closed_before")).toEqual([
      { hold_side: "long", state: "closed", first_seen_at: iso(0), closed_before: iso(1) },
      { hold_side: "short", state: "open", first_seen_at: iso(1), closed_before: null },
    ]);
  });

  it("of a hedged pair ends independently of the other's", async () => {
    const pair = (total: string) => [position({ total }), position({ holdSide: "short", total: "9" })];
    const path = await record([pair("1"), pair("2"), pair("1").slice(1)]);
    expect(episodes(path, "hold_side, state, largest_total")).toEqual([
      { hold_side: "long", state: "closed", largest_total: "2" },
      { hold_side: "short", state: "open", largest_total: "9" },
    ]);
  });

  it("is a new one if the position was closed and opened again between two snapshots", async () => {
    const before = position({ unrealizedPl: "-80", total: "5", markPrice: "60000", liquidationPrice: "59999" });
    const after = position({ unrealizedPl: "1", total: "2", openedAt: at(0) + 5 });
    const path = await record([[before], [after]], [1]);
    const columns = "opened_at, last_seen_at, closed_before, largest_total, worst_unrealized_pl, closest_liquidation";
    expect(episodes(path, columns)).toEqual([
      {
        opened_at: iso(-10),
        last_seen_at: iso(0),
        closed_before: iso(1),
        largest_total: "5",
        worst_unrealized_pl: "-80",
        closest_liquidation: "0.0000166666666667",
      },
      {
        opened_at: "2026-11-01T00:00:00.005Z",
        last_seen_at: iso(1),
        closed_before: null,
        largest_total: "2",
        worst_unrealized_pl: "1",
        closest_liquidation: null,
      },
    ]);
  });

  it("continues if the opening time is unknown, and adopts it later", async () => {
    const unknown = position({ openedAt: null });
    const path = await record([[unknown], [position()], [unknown], [position()], [position({ openedAt: at(3) })]]);
    expect(episodes(path, "opened_at, first_seen_at")).toEqual([
      { opened_at: iso(-10), first_seen_at: iso(0) },
      { opened_at: iso(3), first_seen_at: iso(4) },
    ]);
  });

  it.each([
    ["0", "60000"],
    ["0.00", "60000"],
    ["-112432.87", "60000"],
    [null, "60000"],
    ["50000", null],
    ["50000", "0"],
  ])("has no distance to a liquidation price of %s at a mark of %s", async (liquidationPrice, markPrice) => {
    const path = await record([[position({ liquidationPrice, markPrice })]]);
    expect(episodes(path, "closest_liquidation")).toEqual([{ closest_liquidation: null }]);
  });

  it("has positive fees if paid, also for a unified account; they are unknown if a part is", async () => {
    const half = position({ openFeeTotal: "-1.8375" });
    const both = position({ holdSide: "short", openFeeTotal: "-1.8375", closeFeeTotal: "-0.0025" });
    const path = await record([[half, both]]);
    expect(episodes(path, "fees")).toEqual([{ fees: null }, { fees: "1.84" }]);
  });

  it("compares by value, and of equal values keeps the first", async () => {
    const path = await record(["9", "10.0", "10", "-0.5", "-0.50"].map((unrealizedPl) => [position({ unrealizedPl })]));
    expect(episodes(path, "worst_unrealized_pl, best_unrealized_pl")).toEqual([
      { worst_unrealized_pl: "-0.5", best_unrealized_pl: "10.0" },
    ]);
  });

  it("writes nothing while no value reaches a new extreme", async () => {
    const path = await record([[position({ unrealizedPl: "1" })], [position({ unrealizedPl: "5" })]]);
    change(path, "create trigger written before insert on episode begin select raise(abort, 'written'); end");
    const store = await open(path);
    const next = (n: number, unrealizedPl: string) =>
      collect(store, positions, at(n), { snapshots: [good([position({ unrealizedPl })], at(n), "umcbl")] });
    expect(await next(2, "4.9")).toBe("ok");
    await expect(next(3, "5.1")).rejects.toThrow(/written/);
  });

  it("is unchanged if the end of a run is rolled back", async () => {
    const path = await record([[position({ total: "1" })]]);
    const store = await open(path);
    const next = (n: number, items: Item[]) =>
      collect(store, positions, at(n), { snapshots: [good(items, at(n), "umcbl")] });
    await next(1, [position({ total: "2" })]);
    change(path, "create trigger full before update of took_ms on run begin select raise(abort, 'full'); end");
    await expect(next(2, [position({ total: "7" }), position({ holdSide: "short" })])).rejects.toThrow();
    change(path, "drop trigger full");
    await next(3, []);
    expect(episodes(path, "hold_side, largest_total, closed_after, closed_before")).toEqual([
      { hold_side: "long", largest_total: "2", closed_after: iso(1), closed_before: iso(3) },
    ]);
    expect(await problemsOf(path)).toEqual([]);
  });

  it("is neither open nor closed while its scope is not inUse, and continues afterwards", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const sent = position({ achievedProfits: "3" });
    const next = (n: number, ...scopes: Scope[]) =>
      collect(store, positions, at(n), { snapshots: scopes.map((scope) => good([sent], at(n), scope)) });
    const sumcbl = "state, last_seen_at, closed_after, realized_pl, realized_pl_seen";
    const now = () => query(path, `select ${sumcbl} from position_episodes where product_type = 'sumcbl'`);
    await next(0, "umcbl", "sumcbl");
    await next(1, "umcbl");
    await next(2, "umcbl");
    expect(now()).toEqual([
      { state: "unknown", last_seen_at: iso(0), closed_after: null, realized_pl: null, realized_pl_seen: "3" },
    ]);
    await next(3, "umcbl", "sumcbl");
    expect(now()).toEqual([
      { state: "open", last_seen_at: iso(3), closed_after: null, realized_pl: "3", realized_pl_seen: "3" },
    ]);
    expect(await problemsOf(path)).toEqual([]);
  });
});

describe("verifying", () => {
  it.each([
    ['(episode.largest_total): was "2"', "update episode set largest_total = x'3f' where closed_before is not null"],
    ["(episode.worst_unrealized_pl): was null", "update episode set worst_unrealized_pl = x'1f' where since = 5"],
    [`(episode.opened_at): was ${at(-10)}`, "update episode set opened_at = opened_at + 1 where since = 1"],
    [`(episode.closed_before): was ${at(2)}`, "update episode set closed_before = null where since = 1"],
    ["since snapshot 1 (episode): has no row", "delete from episode where since = 1"],
    [
      "since snapshot 2 (episode): has a row, but no position was opened there",
      "insert into episode (item_id, since, first_seen_at) values (1, 2, 0)",
    ],
    ["refers", "update episode set item_id = 9"],
  ])("finds an altered episode: %s", async (named, sql) => {
    const path = await record([
      [position({ total: "2" })],
      [position({ total: "1" })],
      [position({ openedAt: at(1) })],
    ]);
    expect(await problemsOf(path)).toEqual([]);
    expect(change(path, sql)).toBeGreaterThan(0);
    expect((await problemsOf(path)).join("\n")).toContain(named);
  });

  it("does not stop collecting because of a damaged episode", async () => {
    const path = await record([[position({ unrealizedPl: "2" })]]);
    change(path, "update episode set worst_unrealized_pl = x'aabb'");
    const store = await open(path);
    const snapshots = [good([position({ unrealizedPl: "1" })], at(1), "umcbl")];
    expect(await collect(store, positions, at(1), { snapshots })).toBe("ok");
  });
});

describe("a database that was created without episodes", () => {
  it("gets the episodes of its history, and continues them", async () => {
    const path = older("0000");
    const store = await open(path);
    const columns = "symbol, state, first_seen_at, last_seen_at, largest_total, closest_liquidation";
    expect(episodes(path, columns)).toEqual([
      {
        symbol: "BTCUSDT",
        state: "open",
        first_seen_at: "2026-11-01T00:00:00.000Z",
        last_seen_at: "2026-11-01T00:01:00.000Z",
        largest_total: "1",
        closest_liquidation: null,
      },
    ]);
    await store.recover();
    await collect(store, positions, at(4), { snapshots: [good([], at(4), "umcbl")] });
    expect(episodes(path, "state, closed_after")).toEqual([{ state: "closed", closed_after: iso(1) }]);
    expect(await problemsOf(path)).toEqual([]);
  });

  it("gets every kind: partly closed, reopened, flipped, closed after a failure, with an unknown time", async () => {
    const path = older("0001");
    await open(path);
    const columns = `symbol, hold_side as side, state, opened_at, closed_after, closed_before, largest_total as largest,
      worst_unrealized_pl as worst, best_unrealized_pl as best, closest_liquidation as closest, fees_seen as fees`;
    const rows = episodes(path, columns).map((row) => Object.values(row));
    expect(rows).toEqual([
      ["BTCUSDT", "long", "closed", iso(-10), iso(1), iso(2), "0.02", "-12.50", "-5.10", "0.2163316484463775", "1.10"],
      ["ETHUSDT", "long", "open", null, null, null, "1.5", "0.40", "0.40", null, null],
      ["BTCUSDT", "long", "open", iso(1.5), null, null, "0.05", "1.00", "7.25", "0.1510243198411765", null],
      [
        "BTCUSDT",
        "short",
        "closed",
        "2026-11-01T00:01:31.000Z",
        iso(2),
        iso(4),
        "0.03",
        "-1.00",
        "-1.00",
        "0.1428496793490328",
        null,
      ],
    ]);
    expect(await problemsOf(path)).toEqual([]);
  });

  it("gets the same episodes as were recorded live", async () => {
    const moves = ["1", "-4", "-4.0", "7"].map((unrealizedPl) => [position({ unrealizedPl })]);
    const again = (openedAt: number) => [position({ unrealizedPl: "7", openedAt })];
    const path = await record([...moves, again(at(3)), again(at(4)), [], [position()], [], ...moves]);
    const recorded = query(path, "select * from episode");
    change(path, "delete from episode");
    const sqlite = new Database(path);
    fillEpisodes(sqlite);
    sqlite.close();
    expect(query(path, "select * from episode")).toEqual(recorded);
  });
});

const compared = Object.keys(
  referenceEpisodes(
    [
      { scope: "", takenAt: "", rows: [{}] },
      { scope: "", takenAt: "", rows: [] },
    ],
    [""],
  )[0] ?? {},
);
const inOneOrder = (rows: readonly object[]): string[] =>
  rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();

/** Returns the good snapshots of positions with their rows of the history view. */
function shownIn(path: string): SnapshotRows[] {
  const rows = query(path, "select * from positions_history") as unknown as (Cells & { snapshot_id: unknown })[];
  const taken = query(
    path,
    "select * from snapshots where dataset = 'positions' and state = 'ok' order by snapshot_id",
  );
  return taken.map(({ snapshot_id, product_type, taken_at }) => ({
    scope: String(product_type),
    takenAt: String(taken_at),
    rows: rows.filter((row) => row.snapshot_id === snapshot_id),
  }));
}

describe("for a random history", () => {
  const digits = fc.constantFrom(null, "0", "-0.00", "1", "1.0", "-3.25", "60000", "59999.123456789012345678", "2.50");
  // Often the same in the next snapshot, so that an episode begins without a change of the moving columns.
  const figure = fc.oneof({ weight: 2, arbitrary: fc.constant("1") }, digits);
  const aPosition = fc
    .record({
      symbol: fc.constantFrom("BTCUSDT", "ETHUSDT"),
      holdSide: fc.constantFrom("long", "short"),
      openedAt: fc.constantFrom(null, at(-1), at(-1), at(-1), at(-2)),
      total: fc.constantFrom("1", "1.00", "2.5"),
      averageOpenPrice: digits,
      unrealizedPl: figure,
      liquidationPrice: figure,
      markPrice: figure,
      achievedProfits: digits,
      totalFunding: digits,
      deductedFee: fc.constantFrom(null, null, "0.5"),
      openFeeTotal: digits,
      closeFeeTotal: digits,
    })
    .map(position);
  const nameOf = ({ row }: Item) => `${row.symbol} ${row.holdSide}`;
  const aResponse = fc.oneof(
    { weight: 6, arbitrary: fc.uniqueArray(aPosition, { maxLength: 4, selector: nameOf }) },
    fc.constant("failed" as const),
  );

  it("every episode equals that of a reference implementation", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aResponse, { minLength: 2, maxLength: 14 }), fc.nat(13), async (responses, restart) => {
        const path = await record(responses, [restart]);
        const expected = referenceEpisodes(shownIn(path), ["umcbl"]);
        expect(inOneOrder(query(path, `select ${compared.join(", ")} from position_episodes`))).toEqual(
          inOneOrder(expected),
        );
        expect(await problemsOf(path)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it("every episode of a simulated account follows from what the exchange sent", async () => {
    const begin = Date.UTC(2026, 10, 1);
    const hour = 60 * minute;
    const noPermission = { path: "/api/v2/mix/position", code: "40014", message: "Incorrect permissions" };
    const world = await createWorld("2026-10-31T23:59:59Z", { SCHEDULE_POSITIONS: "0 * * * *" });
    for (let n = 0; n < 120; n += 1) {
      if (n % 17 === 5) world.exchange.injectFault(noPermission);
      if (n === 80) world.exchange.upgrade("main");
      if (n % 23 !== 7) await world.at(begin + n * hour + 50);
      world.exchange.clearFaults();
      if (n === 60) await world.restart();
    }
    const good = new Set(shownIn(world.path).map(({ scope, takenAt }) => `${scope} ${takenAt}`));
    const sent = world.exchange.record
      .filter(
        ({ dataset, scope, takenAt, edited }) =>
          dataset === "positions" && !edited && good.has(`${scope} ${new Date(takenAt).toISOString()}`),
      )
      .map(({ scope, takenAt, rows }) => ({
        scope: String(scope),
        takenAt: new Date(takenAt).toISOString(),
        rows: rows.map((row) => ({ ...row, opened_at: new Date(Number(row.opened_at)).toISOString() }) as Cells),
      }));
    const inRecord = compared.filter((name) => !/^(funding|fees)/.test(name)).join(", ");
    const inUse = query(world.path, "select product_type as scope from scope where until is null").map(({ scope }) =>
      String(scope),
    );
    const expected = referenceEpisodes(sent, inUse).map(({ funding, fees, funding_seen, fees_seen, ...rest }) => rest);
    const stored = query(world.path, `select ${inRecord} from position_episodes`);
    expect(stored.length).toBeGreaterThan(20);
    expect(new Set(stored.map(({ state }) => state))).toEqual(new Set(["open", "closed", "unknown"]));
    expect(inOneOrder(stored)).toEqual(inOneOrder(expected));
    expect(await problemsOf(world.path)).toEqual([]);
  });
});
