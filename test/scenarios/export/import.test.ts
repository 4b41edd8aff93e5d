import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ConfigError, ShapeError, UsageError } from "../../../src/core/errors.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { collect, good, item, minute, query, start } from "../../store/kit.ts";
import { positions, spotAssets } from "../../store/minutes.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { temporaryFolder } from "../../support/files.ts";
import { exported, imported, importInto } from "./support.ts";

const prices = snapshotDatasetNamed("prices");

/** Records two minutes of two coins and one position. */
async function seeded(): Promise<string> {
  const path = temporaryPath();
  const store = await open(path);
  for (const at of [start, start + minute]) {
    const coins = ["BTC", "ETH"].map((coin) => item(spotAssets, { coin, available: "1.50", updatedAt: at }));
    await collect(store, spotAssets, at, { snapshots: [good(coins, at + 5)] });
    const held = { symbol: "BTCUSDT", marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: "2" };
    await collect(store, positions, at, { snapshots: [good([item(positions, held)], at + 7, "umcbl")] });
  }
  await collect(store, prices, start, { snapshots: [good([], start)] }, "public");
  return path;
}

/** Writes a file with this content to an empty folder. */
function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

describe("an import", () => {
  it("creates one run for every snapshot and keeps the ids", async () => {
    const path = await seeded();
    const copy = await imported([await exported(path, "spot-assets", "csv")]);
    expect(query(copy, "select * from runs")).toMatchObject([
      {
        account: "main",
        dataset: "spot-assets",
        scheduled_for: "2026-11-01T00:00:00.005Z",
        state: "ok",
        cause: "imported",
        rows: 2,
      },
      {
        account: "main",
        dataset: "spot-assets",
        scheduled_for: "2026-11-01T00:01:00.005Z",
        state: "ok",
        cause: "imported",
        rows: 2,
      },
    ]);
    expect(query(copy, "select snapshot_id from snapshots order by 1")).toEqual([
      { snapshot_id: 1 },
      { snapshot_id: 3 },
    ]);
  });

  it("can be extended dataset by dataset", async () => {
    const path = await seeded();
    const copy = await imported([await exported(path, "positions", "parquet")]);
    await importInto(copy, [await exported(path, "spot-assets", "ndjson.gz")]);
    const store = await open(copy);
    await collect(store, spotAssets, start + 9 * minute, { snapshots: [good([], start + 9 * minute)] });
    expect(query(copy, "select coin, available, snapshot_id from spot_assets_latest")).toEqual([
      { coin: "BTC", available: "0", snapshot_id: 5 },
      { coin: "ETH", available: "0", snapshot_id: 5 },
    ]);
    expect(query(copy, "select count(*) as n from positions_history")).toEqual([{ n: 2 }]);
  });

  it.each([
    ["csv", "taken_at,coin,quote,price,source,snapshot_id,bid,ask,exchange_time,extra,taken_at_ms\r\n"],
    ["ndjson", ""],
  ])("accepts a file without rows, as %s", async (ending, content) => {
    const path = await seeded();
    const file = await exported(path, "prices", ending);
    expect(readFileSync(file, "utf8")).toBe(content);
    expect(query(await imported([file]), "select * from snapshots")).toEqual([]);
  });

  it("accepts Parquet with columns and no row", async () => {
    const file = await exported(await seeded(), "prices", "parquet");
    expect(query(await imported([file]), "select * from snapshots")).toEqual([]);
  });
});

describe("an import is refused and changes nothing", () => {
  it("where the database already has the dataset", async () => {
    const path = await seeded();
    const file = await exported(path, "spot-assets", "csv");
    await expect(importInto(path, [file])).rejects.toThrow(/already holds runs of spot-assets/);
  });

  it("where the id of a snapshot is already used", async () => {
    const path = await seeded();
    const copy = await imported([await exported(path, "positions", "csv")]);
    const shifted = readFileSync(await exported(path, "spot-assets", "csv"), "utf8").replaceAll(
      /,3,(?=.*\r\n)/g,
      ",4,",
    );
    const refused = importInto(copy, [fileOf("spot.csv", shifted)]);
    await expect(refused).rejects.toThrow(ConfigError);
    expect(query(copy, "select distinct dataset from runs")).toEqual([{ dataset: "positions" }]);
  });

  it("where one file of several is invalid", async () => {
    const path = await seeded();
    const copy = temporaryPath();
    const files = [await exported(path, "positions", "csv"), fileOf("a.csv", "coin\r\nBTC\r\n")];
    await expect(importInto(copy, files)).rejects.toThrow(
      /a\.csv: columns: do not match the history view of any dataset; only files that `export` wrote can be imported/,
    );
    expect(query(copy, "select * from runs")).toEqual([]);
    expect(query(copy, "select * from account")).toEqual([]);
  });

  it.each([
    [/1\.50/, "1,50", "line 2: has 21 cells"],
    [/1\.50/, "1.5e3", 'line 2, available: "1.5e3" is not a decimal number'],
    [/1\.50/, '"""', "line"],
    [/1\.50/, "'=1", 'line 2, available: "=1" is not a decimal number'],
    [/1\.50(?!.*1\.50)/s, "+1", 'line 5, available: "+1" is not a decimal number'],
    [/,ETH,/, ",BTC,", 'line 3: snapshot 1 has ["BTC"] twice'],
    [/,BTC,/, ",,", "line 2, coin: is missing"],
    [/^main/m, "", "line 2, account: is missing"],
    [/^.*$/s, "", "line 1: is missing"],
    [/00:00:00\.005Z/, "00:00:00.006Z", "line 2, taken_at: differs from taken_at_ms"],
    [/2026-11-01T00:00:00\.005Z/, "noon", 'line 2, taken_at: "noon" is not a valid time'],
    [/,1,,/, ",x,,", 'line 2, snapshot_id: "x" is not a whole number'],
    [/,1,,/, ",3,,", "line 3: snapshot_id 1 follows 3; ids must increase"],
    [/main(?=.*ETH)/, "hedge", "line 3: snapshot_id 1 has rows of different accounts, times or product types"],
    [/,,(?=1793491200005)/, ',"{""b"":1,""a"":2}",', "line 2, extra: is not a JSON object as it was stored"],
    [/main.*ETH.*3,.*\r\n/, "", "line 4: snapshot 3 lacks the row of zeros of a coin that was listed before"],
  ])("where a line of CSV has %s as %j", async (found, put, problem) => {
    const text = readFileSync(await exported(await seeded(), "spot-assets", "csv"), "utf8");
    expect(text).toMatch(found);
    const refused = imported([fileOf("spot.csv", text.replace(found, put))]);
    await expect(refused).rejects.toThrow(ShapeError);
    await expect(imported([fileOf("spot.csv", text.replace(found, put))])).rejects.toThrow(`spot.csv: ${problem}`);
  });

  it.each([
    [/"1\.50"/, "1.50", 'line 1, available: "1.5" is not text'],
    [/"1\.50"/, "true", "line 1, available: is neither a text nor a number"],
    [/\}\n\{/, "}\n[{", "line 2: is not a JSON object"],
    [/"available"(?!.*"available")/s, '"avail"', "line 4: has other columns than the first line"],
    [/"umcbl"/, '"USDT-FUTURES"', "line"],
    [/"snapshot_id":1,/, '"snapshot_id":9007199254740993,', "is not a whole number"],
  ])("where a line of NDJSON has %s as %j", async (found, put, problem) => {
    const name = put.includes("FUTURES") ? "positions" : "spot-assets";
    const text = readFileSync(await exported(await seeded(), name, "ndjson"), "utf8");
    expect(text).toMatch(found);
    await expect(imported([fileOf("a.ndjson", text.replace(found, put))])).rejects.toThrow(problem);
  });

  it("where a text is not UTF-8, naming the line", async () => {
    const bytes = readFileSync(await exported(await seeded(), "spot-assets", "csv"));
    bytes[bytes.indexOf("ETH")] = 0xff;
    await expect(imported([fileOf("a.csv", bytes)])).rejects.toThrow("a.csv: line 3: is not UTF-8");
    await expect(imported([fileOf("a.csv.gz", gzipSync(bytes))])).rejects.toThrow("a.csv.gz: line 3: is not UTF-8");
  });

  it("where a file was cut", async () => {
    const path = await seeded();
    const cut = async (ending: string) => {
      const bytes = readFileSync(await exported(path, "spot-assets", ending));
      return fileOf(`a.${ending}`, bytes.subarray(0, bytes.length - 20));
    };
    await expect(imported([await cut("csv.gz")])).rejects.toThrow(ShapeError);
    await expect(imported([await cut("parquet")])).rejects.toThrow(ShapeError);
    await expect(imported([await cut("csv")])).rejects.toThrow(ShapeError);
    await expect(imported([await cut("ndjson")])).rejects.toThrow(ShapeError);
  });

  it.each(["a.txt", "a.parquet.gz", "a"])("where the extension of %s is unknown", async (name) => {
    await expect(imported([fileOf(name, "")])).rejects.toThrow(UsageError);
  });
});
