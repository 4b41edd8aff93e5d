import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { viewsOf } from "../../../src/store/schema/views.ts";
import { backup } from "../../../src/store/sqlite/backup.ts";
import { openReadOnly } from "../../../src/store/sqlite/database.ts";
import type { Store } from "../../../src/store/store.ts";
import { collect, failed, good, item, minute, start } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";

/** The version of the machine's `sqlite3` program, which lacks this program's functions; null where there is none. */
function programVersion(): string | null {
  try {
    return execFileSync("sqlite3", ["--version"], { encoding: "utf8", stdio: "pipe" }).split(" ")[0] ?? "";
  } catch {
    return null;
  }
}

const version = programVersion();

/** Runs `sqlite3` without its settings file; returns one line per row. A warning is an error. */
function ask(database: string, ...sql: string[]): string[] {
  const answer = execFileSync("sqlite3", ["-init", "/dev/null", "-batch", "-bail", database, sql.join("; ")], {
    encoding: "utf8",
    stdio: "pipe",
  });
  return answer.trim().split("\n");
}

const readOnly = (path: string): string => `file:${path}?mode=ro`;

const spotAssets = snapshotDatasetNamed("spot-assets");
const positions = snapshotDatasetNamed("positions");
const amounts = ["0.10", "-0.000000010", "12345678901234567890.12345678901234567890", "0"];
const position = item(positions, {
  symbol: "BTCUSDT",
  marginCoin: "USDT",
  holdSide: "long",
  marginMode: "crossed",
  total: "1.00",
  openedAt: start,
});

/** Records four coins, one with an unknown frozen amount, a position, a failed snapshot and a missed slot. */
async function fill(store: Store): Promise<void> {
  const coins = amounts.map((available, n) =>
    item(spotAssets, { coin: `COIN${n}`, available, frozen: n === 0 ? null : "0.0" }),
  );
  await collect(store, spotAssets, start, { snapshots: [good(coins, start + 7)] });
  await collect(store, positions, start, { snapshots: [good([position], start + 8, "umcbl")] });
  await collect(store, spotAssets, start + minute, { failures: [failed("40010", start + minute)] });
}

const views = [...viewsOf(datasets).keys()];
const amountsQuery =
  "select coin, available, typeof(available), frozen is null, taken_at from spot_assets_history order by coin";
const amountRows = [
  "COIN0|0.10|text|1|2026-11-01T00:00:00.007Z",
  "COIN1|-0.000000010|text|0|2026-11-01T00:00:00.007Z",
  "COIN2|12345678901234567890.12345678901234567890|text|0|2026-11-01T00:00:00.007Z",
  "COIN3|0|text|0|2026-11-01T00:00:00.007Z",
];

/** Checks what must hold wherever the file is and whichever process has it open. */
function expectReadable(database: string): void {
  expect(ask(database, amountsQuery)).toEqual(amountRows);
  const counts = ask(database, ...views.map((view) => `select '${view}', count(*) from (select * from ${view})`));
  expect(counts.map((line) => line.split("|")[0])).toEqual(views);
  expect(counts).toEqual(
    expect.arrayContaining(["spot_assets_latest|4", "positions_history|1", "runs|3", "snapshots|3", "gaps|1"]),
  );
}

describe.skipIf(version === null)(`sqlite3 ${version ?? "is not on this machine"}`, () => {
  it("reads every view, digit for digit, while a store has the file open", async () => {
    const path = temporaryPath();
    await fill(await open(path));
    expectReadable(readOnly(path));
    expectReadable(path);
  });

  it("shows each run as soon as it has finished", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const seen: string[] = [];
    for (const slot of [start, start + minute]) {
      await collect(store, spotAssets, slot, { snapshots: [good([], slot)] });
      seen.push(...ask(readOnly(path), "select count(*) from runs"));
    }
    expect(seen).toEqual(["1", "2"]);
  });

  it("reads every view after the store has closed", async () => {
    const path = temporaryPath();
    const store = await open(path);
    await fill(store);
    store.close();
    expectReadable(readOnly(path));
    expectReadable(path);
  });

  it("reads every view of a backup in a read-only folder", async () => {
    const path = temporaryPath();
    await fill(await open(path));
    const copy = join(dirname(path), "kept", "copy.db");
    mkdirSync(dirname(copy));
    const source = openReadOnly(path);
    await backup(source, copy);
    source.close();
    chmodSync(copy, 0o400);
    chmodSync(dirname(copy), 0o500);
    expectReadable(readOnly(copy));
    expectReadable(`file:${copy}?immutable=1`);
    chmodSync(dirname(copy), 0o700);
  });

  it("reads the main file alone, copied after the store has closed", async () => {
    const path = temporaryPath();
    const store = await open(path);
    await fill(store);
    store.close();
    const copy = `${path}.copy`;
    copyFileSync(path, copy);
    chmodSync(copy, 0o400);
    expectReadable(`file:${copy}?immutable=1`);
  });

  it("passes SQLite's integrity check", async () => {
    const path = temporaryPath();
    await fill(await open(path));
    expect(ask(readOnly(path), "pragma integrity_check", "pragma foreign_key_check", "select 'end'")).toEqual([
      "ok",
      "end",
    ]);
  });
});
