import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { collect, failed, good, item, minute, query, start } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");
const positions = snapshotDatasetNamed("positions");
const coin = (name: string, available: string | null) => item(spotAssets, { coin: name, available, frozen: "0.00" });
const position = (symbol: string) =>
  item(positions, {
    symbol,
    marginCoin: "USDT",
    holdSide: "long",
    marginMode: "crossed",
    total: "1",
    markPrice: "61250.4",
  });

const promised: [string, string][] = [
  ["spot_assets_history", "account, taken_at, coin, available, frozen, locked, snapshot_id"],
  ["spot_assets_latest", "account, taken_at, coin, available, frozen, locked, snapshot_id"],
  [
    "mix_accounts_history",
    "account, taken_at, product_type, margin_coin, available, locked, equity, usdt_equity, btc_equity, unrealized_pl, cross_risk_rate, snapshot_id",
  ],
  [
    "mix_accounts_latest",
    "account, taken_at, product_type, margin_coin, available, locked, equity, usdt_equity, btc_equity, unrealized_pl, cross_risk_rate, snapshot_id",
  ],
  [
    "positions_history",
    "account, taken_at, product_type, symbol, margin_coin, hold_side, margin_mode, open_delegate_count, margin, available, locked, total, leverage, achieved_profits, unrealized_pl, unrealized_plr, liquidation_price, keep_margin_rate, mark_price, average_open_price, opened_at, snapshot_id",
  ],
  [
    "positions_latest",
    "account, taken_at, product_type, symbol, margin_coin, hold_side, margin_mode, open_delegate_count, margin, available, locked, total, leverage, achieved_profits, unrealized_pl, unrealized_plr, liquidation_price, keep_margin_rate, mark_price, average_open_price, opened_at, snapshot_id",
  ],
  ["funding_assets_history", "account, taken_at, coin, available, frozen, snapshot_id"],
  ["funding_assets_latest", "account, taken_at, coin, available, frozen, snapshot_id"],
  ["prices_history", "taken_at, coin, quote, price, source"],
  ["equity_history", "account, taken_at, usdt_equity, spot_usdt, futures_usdt, other_usdt, complete"],
  ["runs", "run_id, account, dataset, scheduled_for, started_at, finished_at, state, cause, requests, retries, rows"],
  [
    "snapshots",
    "snapshot_id, run_id, account, dataset, product_type, taken_at, state, rows, error_code, error_message",
  ],
  ["gaps", "account, dataset, product_type, from_at, to_at, slots, cause"],
];

describe("views", () => {
  it.each(promised)("%s begins with the promised columns", async (view, columns) => {
    const path = temporaryPath();
    await open(path);
    const names = query(path, `select name from pragma_table_info('${view}') order by cid`).map(({ name }) => name);
    expect(names.slice(0, columns.split(", ").length).join(", ")).toBe(columns);
  });

  it("a removed coin has one row of zeros, unknown values stay unknown, and no row after it", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const all = [[coin("BTC", "0.10"), coin("ETH", null)], [coin("BTC", "0.10")], [], [coin("ETH", "2")]];
    for (const [at, items] of all.entries()) {
      await collect(store, spotAssets, start + at * minute, { snapshots: [good(items, start + at * minute)] });
    }
    expect(
      query(path, "select snapshot_id as n, coin, available, frozen, locked from spot_assets_history order by n, coin"),
    ).toEqual([
      { n: 1, coin: "BTC", available: "0.10", frozen: "0.00", locked: null },
      { n: 1, coin: "ETH", available: null, frozen: "0.00", locked: null },
      { n: 2, coin: "BTC", available: "0.10", frozen: "0.00", locked: null },
      { n: 2, coin: "ETH", available: null, frozen: "0", locked: null },
      { n: 3, coin: "BTC", available: "0", frozen: "0", locked: null },
      { n: 4, coin: "ETH", available: "2", frozen: "0.00", locked: null },
    ]);
  });

  it("a position that is opened again shows no earlier values", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const bare = { row: { ...position("BTCUSDT").row, markPrice: null }, extra: null };
    const responses = [[{ ...position("BTCUSDT"), extra: { note: "old" } }], [], [bare]];
    for (const [at, items] of responses.entries()) {
      await collect(store, positions, start + at * minute, { snapshots: [good(items, start + at * minute, "umcbl")] });
    }
    expect(query(path, "select snapshot_id as n, mark_price, extra from positions_history order by n")).toEqual([
      { n: 1, mark_price: "61250.4", extra: '{"note":"old"}' },
      { n: 3, mark_price: null, extra: null },
    ]);
  });

  it("an item sent twice counts once; two that differ fail their scope, and the error names the key", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const end = (at: number, items: ReturnType<typeof coin>[]) =>
      collect(store, spotAssets, start + at * minute, { snapshots: [good(items, start)] });
    expect(await end(0, [coin("BTC", "1"), coin("BTC", "1")])).toBe("ok");
    expect(await end(1, [coin("BTC", "1"), coin("BTC", "1.0")])).toBe("failed");
    expect(query(path, "select state, rows, error_code, error_message from snapshots")).toEqual([
      { state: "ok", rows: 1, error_code: null, error_message: null },
      { state: "failed", rows: 0, error_code: "shape", error_message: '["BTC"]: two different rows' },
    ]);
  });

  it("the latest rows are those of scopes that are still requested", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const classic = [good([position("BTCUSDT")], start, "umcbl"), good([position("BTCUSD")], start, "dmcbl")];
    await collect(store, positions, start, { snapshots: classic });
    await collect(store, positions, start + minute, { snapshots: [good([position("ETHUSDT")], start, "umcbl")] });
    expect(query(path, "select product_type, symbol from positions_latest")).toEqual([
      { product_type: "umcbl", symbol: "ETHUSDT" },
    ]);
    expect((await store.latest(positions)).map(({ scope }) => scope)).toEqual(["umcbl"]);
    await collect(store, positions, start + 2 * minute, {
      snapshots: [],
      failures: [failed("timeout", start, "dmcbl")],
    });
    expect(query(path, "select symbol from positions_latest order by 1")).toEqual([
      { symbol: "BTCUSD" },
      { symbol: "ETHUSDT" },
    ]);
  });

  it("neighbouring slots without a snapshot and with the same cause are one gap", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const at = (n: number) => start + n * minute;
    const ok = [good([], start, "umcbl")];
    const dmcbl = (code: string) => ({ snapshots: ok, failures: [failed(code, start, "dmcbl")] });
    await store.closeSlots(
      "main",
      "positions",
      [0, 1].map((n) => ({ slot: at(n), state: "missed", cause: "asleep" })),
    );
    await collect(store, positions, at(2), { failures: [failed("timeout", start, "umcbl")] });
    await collect(store, positions, at(3), dmcbl("40015"));
    await collect(store, positions, at(4), dmcbl("40015"));
    await collect(store, positions, at(5), dmcbl("timeout"));
    await collect(store, positions, at(6), { snapshots: ok });
    await collect(store, positions, at(7), dmcbl("timeout"));
    await store.closeSlots("main", "positions", [{ slot: at(8), state: "missed", cause: "asleep" }]);
    await store.closeSlots("main", "positions", [{ slot: at(9), state: "missed", cause: "busy" }]);
    await collect(store, positions, at(0), { snapshots: ok }, "hedge");
    const gaps = query(
      path,
      "select product_type as part, substr(from_at, 15, 2) as first, substr(to_at, 15, 2) as last, slots, cause from gaps order by from_at_ms, part",
    );
    expect(gaps).toEqual([
      { part: null, first: "00", last: "01", slots: 2, cause: "asleep" },
      { part: null, first: "02", last: "02", slots: 1, cause: "timeout" },
      { part: "dmcbl", first: "03", last: "04", slots: 2, cause: "40015" },
      { part: "dmcbl", first: "05", last: "05", slots: 1, cause: "timeout" },
      { part: "dmcbl", first: "07", last: "07", slots: 1, cause: "timeout" },
      { part: null, first: "08", last: "08", slots: 1, cause: "asleep" },
      { part: null, first: "09", last: "09", slots: 1, cause: "busy" },
    ]);
  });

  it("unknown fields are JSON with all received digits", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const extra = { rate: "0.10", deep: { n: 1 } };
    await collect(store, spotAssets, start, { snapshots: [good([{ ...coin("BTC", "1"), extra }], start)] });
    expect(query(path, "select extra from spot_assets_history")).toEqual([{ extra: '{"deep":{"n":1},"rate":"0.10"}' }]);
  });

  it("any SQLite tool reads every view", async (context) => {
    const path = temporaryPath();
    const store = await open(path);
    await collect(store, spotAssets, start, { snapshots: [good([coin("BTC", "-0.000000010")], start + 7)] });
    store.close();
    let lines: string;
    try {
      const reads = promised.map(([view]) => `select count(*) from ${view};`).join(" ");
      lines = execFileSync(
        "sqlite3",
        [path, `select taken_at, available, locked is null from spot_assets_latest; ${reads}`],
        { encoding: "utf8" },
      );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return context.skip("no sqlite3 here");
      throw error;
    }
    expect(lines.trim().split("\n")).toEqual([
      "2026-11-01T00:00:00.007Z|-0.000000010|1",
      ..."1 1 0 0 0 0 0 0 0 0 1 1 0".split(" "),
    ]);
  });

  it("the latest rows and the history of one coin are found by index", async () => {
    const path = temporaryPath();
    await open(path);
    const stepsOf = (sql: string) => query(path, `explain query plan ${sql}`).map(({ detail }) => String(detail));
    for (const sql of [
      "select * from spot_assets_latest",
      "select * from positions_latest",
      "select * from spot_assets_history where account = 'main' and coin = 'BTC' and taken_at_ms >= 0",
      "select * from spot_assets_history where snapshot_id = 5",
    ]) {
      const scans = stepsOf(sql).filter((step) => /^SCAN (n|s|m|x)\b/.test(step));
      expect(scans, sql).toEqual([]);
    }
  });
});
