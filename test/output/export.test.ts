import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { exportHistory } from "../../src/output/export.ts";
import { exportDays } from "../../src/output/export-days.ts";
import { readFiles } from "../../src/output/reading/rows.ts";
import { openHistory } from "../../src/store/read/open-history.ts";
import { bytesOf, endings, exported } from "../scenarios/export/support.ts";
import { collect, good, item, minute, start } from "../store/kit.ts";
import { spotAssets } from "../store/minutes.ts";
import { open, temporaryPath } from "../store/temporary.ts";
import { temporaryFolder } from "../support/files.ts";

/** Returns a database with the given minutes and coins. */
async function seeded(minutes: number, coins: number): Promise<string> {
  const path = temporaryPath();
  const store = await open(path);
  const items = Array.from({ length: coins }, (_, n) =>
    item(spotAssets, { coin: `COIN${String(n).padStart(5, "0")}`, available: `${n}.50`, frozen: null }),
  ).reverse();
  for (let at = 0; at < minutes; at += 1)
    await collect(store, spotAssets, start + at * minute, { snapshots: [good(items, start + at * minute)] });
  return path;
}

/** Runs an export with a progress callback, and returns its outcome and the files in its folder. */
async function watched(
  path: string,
  ending: string,
  watch: (done: number, total: number, stop: AbortController) => void,
) {
  const folder = temporaryFolder();
  const stop = new AbortController();
  const history = openHistory(path);
  const rows = await exportHistory(history, spotAssets, join(folder, `a.${ending}`), {
    span: { from: 0, to: Number.MAX_SAFE_INTEGER },
    signal: stop.signal,
    onProgress: (done, total) => watch(done, total, stop),
  }).catch((error: Error) => error.name);
  history.close();
  return { rows, files: readdirSync(folder) };
}

describe("an export", () => {
  it("has the rows by snapshot and key, from one instant (inclusive) to another (exclusive)", async () => {
    const path = await seeded(4, 2);
    const text = String(await bytesOf(path, "spot-assets", "csv", { from: start + minute, to: start + 3 * minute }));
    const cells = text.split("\r\n").map((line) => line.split(",").slice(0, 4).join());
    expect(cells).toEqual([
      "account,taken_at,coin,available",
      "main,2026-11-01T00:01:00.000Z,COIN00000,0.50",
      "main,2026-11-01T00:01:00.000Z,COIN00001,1.50",
      "main,2026-11-01T00:02:00.000Z,COIN00000,0.50",
      "main,2026-11-01T00:02:00.000Z,COIN00001,1.50",
      "",
    ]);
  });

  it("is the same twice, zipped or not, and zipped the same when unzipped", async () => {
    const path = await seeded(3, 3);
    for (const ending of endings)
      expect(await bytesOf(path, "spot-assets", ending)).toEqual(await bytesOf(path, "spot-assets", ending));
    expect(gunzipSync(await bytesOf(path, "spot-assets", "csv.gz"))).toEqual(await bytesOf(path, "spot-assets", "csv"));
  });

  it("is readable by its owner only, and leaves no other file", async () => {
    const file = await exported(await seeded(1, 1), "spot-assets", "parquet");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(file))).toEqual(["spot-assets.parquet"]);
  });

  it("replaces a file only when it is complete", async () => {
    const path = await seeded(50, 200);
    const file = join(temporaryFolder(), "a.csv");
    writeFileSync(file, "before");
    const history = openHistory(path);
    const stop = new AbortController();
    const exporting = (signal: AbortSignal, onProgress = () => {}) =>
      exportHistory(history, spotAssets, file, { span: { from: 0, to: start * 2 }, signal, onProgress });
    await expect(exporting(stop.signal, () => stop.abort())).rejects.toThrow();
    expect(readFileSync(file, "utf8")).toBe("before");
    expect(await exporting(new AbortController().signal)).toBe(10_000);
    expect(readFileSync(file, "utf8").split("\r\n").length).toBe(10_002);
    history.close();
  });

  it("that is stopped half-way leaves nothing behind, whatever its format", async () => {
    const path = await seeded(100, 400);
    for (const ending of endings) {
      const { rows, files } = await watched(path, ending, (done, total, stop) => {
        if (done > total / 2) stop.abort();
      });
      expect({ rows, files }, ending).toEqual({ rows: "AbortError", files: [] });
    }
  });

  it("that cannot be written fails with a message, and leaves nothing behind", async () => {
    const path = await seeded(1, 1);
    const history = openHistory(path);
    const file = join(temporaryFolder(), "missing", "a.csv");
    const span = { from: 0, to: start * 2 };
    await expect(
      exportHistory(history, spotAssets, file, { span, signal: new AbortController().signal }),
    ).rejects.toThrow(`${file} was not written (ENOENT). Create its folder first.`);
    // The failed export has released its read transaction.
    history.hold()();
    history.close();
  });

  it("and reading it back take no more memory for two hundred thousand rows than for a few", async () => {
    const path = await seeded(400, 500);
    const first = process.memoryUsage().rss;
    let most = 0;
    const look = () => {
      most = Math.max(most, process.memoryUsage().rss);
    };
    for (const ending of ["csv", "ndjson", "parquet"]) await watched(path, ending, look);
    const file = await exported(path, "spot-assets", "ndjson");
    expect(statSync(file).size).toBeGreaterThan(60_000_000);
    let rows = 0;
    for await (const { rows: batches } of readFiles([file], look))
      for await (const batch of batches) rows += batch.length;
    expect(rows).toBe(200_000);
    expect((most - first) / 1e6).toBeLessThan(200);
  });
});

describe("an export by day", () => {
  const hour = 60 * minute;

  /** Every six hours from noon on 1 November on, without 3 November; the schedule is in force. */
  async function days(): Promise<string> {
    const path = temporaryPath();
    const store = await open(path);
    await store.setSchedule("main", "spot-assets", "0 */6 * * *", start + 11 * hour);
    for (let at = start + 12 * hour; at < start + 98 * hour; at += 6 * hour) {
      const isMissed = at >= start + 48 * hour && at < start + 72 * hour;
      if (isMissed)
        await store.closeSlots("main", "spot-assets", [{ slot: at, state: "missed", cause: "not running" }]);
      else await collect(store, spotAssets, at, { snapshots: [good([item(spotAssets, { coin: "BTC" })], at)] });
    }
    store.close();
    return path;
  }

  /** Exports and returns the name and the first cells of the rows of each file. */
  async function written(path: string, span: { from: number; to: number }, now: number) {
    const folder = temporaryFolder();
    const history = openHistory(path);
    const signal = new AbortController().signal;
    const files: [string, string[]][] = [];
    for await (const file of exportDays(history, spotAssets, join(folder, "coins.csv.gz"), { span, signal, now })) {
      const lines = String(gunzipSync(readFileSync(file.path)))
        .split("\r\n")
        .slice(1, -1);
      expect(lines.length).toBe(file.rows);
      files.push([basename(file.path), lines.map((line) => line.slice("main,".length, "main,2026-11-01T00".length))]);
    }
    history.close();
    expect(readdirSync(folder).sort()).toEqual(files.map(([name]) => name));
    return files;
  }

  const all = { from: 0, to: Number.MAX_SAFE_INTEGER };
  const first = ["coins-2026-11-01.csv.gz", ["2026-11-01T12", "2026-11-01T18"]];
  const second = ["coins-2026-11-02.csv.gz", ["00", "06", "12", "18"].map((hour) => `2026-11-02T${hour}`)];
  const fourth = ["coins-2026-11-04.csv.gz", ["00", "06", "12", "18"].map((hour) => `2026-11-04T${hour}`)];

  it("writes a file for each whole day with rows, and none of a day that is not over", async () => {
    const path = await days();
    expect(await written(path, all, start + 97 * hour)).toEqual([first, second, fourth]);
    expect(await written(path, all, start + 95 * hour)).toEqual([first, second]);
    const rest = { from: start + 30 * hour, to: start + 49 * hour };
    expect(await written(path, rest, start + 97 * hour)).toEqual([second]);
  });

  it.each([
    ["an hour before its end", -60, [first, second]],
    ["ten minutes after its end, which may be on that day by the exchange's clock", 10, [first, second]],
    ["later", 11, [first, second, fourth]],
  ])("leaves out a day while a slot is still open %s", async (_, minutes, files) => {
    const path = await days();
    const store = await open(path);
    const slot = start + 96 * hour + minutes * minute;
    const run = await store.begin("main", "spot-assets", slot, slot);
    expect(await written(path, all, start + 97 * hour)).toEqual(files);
    store.close();
    expect(run).not.toBeNull();
  });

  it("exports nothing where nothing was ever recorded", async () => {
    const path = temporaryPath();
    (await open(path)).close();
    expect(await written(path, all, start)).toEqual([]);
  });

  it("does not replace what is no file", async () => {
    const path = await days();
    const folder = temporaryFolder();
    mkdirSync(join(folder, "coins-2026-11-02.csv"));
    const history = openHistory(path);
    const signal = new AbortController().signal;
    const exporting = async () => {
      for await (const _ of exportDays(history, spotAssets, join(folder, "coins.csv"), {
        span: all,
        signal,
        now: start * 2,
      }));
    };
    await expect(exporting()).rejects.toThrow("coins-2026-11-02.csv exists and is not a regular file");
    history.close();
  });
});
