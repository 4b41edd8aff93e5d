import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { snakeCase } from "../src/columns.ts";
import type { Dataset } from "../src/datasets/dataset.ts";
import type { Row, Snapshot, Value } from "../src/domain.ts";
import { collect, query, storeAt } from "../test/store/kit.ts";
import { accountMinutes, type Minute, positions, spotAssets } from "../test/store/minutes.ts";
import { type Comparison, compare, type Figure } from "./figure.ts";
import { newFolder } from "./folder.ts";

const days = 3;
const minutes = days * 1440;
/** How many tables are named, the largest first. */
const named = 4;
const perMinute = "file per snapshot minute";

export const bytes: Figure = {
  name: "bytes",
  summary: `database file after ${days} days of minutes, 50 coins (5 % change) and 20 positions (all move)`,
  async run() {
    const folder = newFolder();
    const path = join(folder, "collector.db");
    const plainPath = join(folder, "plain.db");
    const store = await storeAt(path);
    const plain = openPlain(plainPath);
    for (const one of accountMinutes(minutes)) {
      const { slot, coins, lines, spreadMs } = one;
      await Promise.all([
        collect(store, spotAssets, slot, { snapshots: [coins] }),
        collect(store, positions, slot, { snapshots: lines, requests: lines.length, spreadMs }),
      ]);
      plain.add(one);
    }
    store.close();
    plain.close();
    const whole = statSync(path).size / minutes;
    const plainWhole = statSync(plainPath).size / minutes;
    const split = splitOf(path, whole);
    rmSync(folder, { recursive: true });
    return [compare(perMinute, whole, "bytes", "the same as plain rows, one index each", plainWhole), ...split];
  },
};

/** Each table with its indexes. */
function splitOf(path: string, whole: number): Comparison[] {
  const sizes = query(
    path,
    `select tbl_name as name, sum(pgsize) as size from dbstat join sqlite_schema using (name)
     group by tbl_name order by size desc limit ${named}`,
  );
  return sizes.map(({ name, size }) => compare(`of which ${name}`, Number(size) / minutes, "bytes", perMinute, whole));
}

interface PlainTable {
  dataset: Dataset;
  columns: readonly string[];
  /** After the account and before the instant in the table's one index. */
  indexed: string;
}

/** The columns of the history views without `account`, `taken_at` and our own `snapshot_id`. */
const plainTables: Record<"coins" | "lines", PlainTable> = {
  coins: { dataset: spotAssets, columns: ["coin", "available", "frozen", "locked"], indexed: "coin" },
  lines: {
    dataset: positions,
    columns: [
      "product_type",
      "symbol",
      "margin_coin",
      "hold_side",
      "margin_mode",
      "open_delegate_count",
      "margin",
      "available",
      "locked",
      "total",
      "leverage",
      "achieved_profits",
      "unrealized_pl",
      "unrealized_plr",
      "liquidation_price",
      "keep_margin_rate",
      "mark_price",
      "average_open_price",
      "opened_at",
    ],
    indexed: "symbol",
  },
};

/** What one would write first: a row of text per item and snapshot. */
function openPlain(path: string): { add(minute: Minute): void; close(): void } {
  const sqlite = new Database(path);
  sqlite.pragma("journal_mode = WAL");
  const addCoins = inserter(sqlite, plainTables.coins);
  const addLines = inserter(sqlite, plainTables.lines);
  return {
    add: sqlite.transaction(({ coins, lines }: Minute) => {
      addCoins(coins);
      for (const line of lines) addLines(line);
    }),
    close() {
      sqlite.pragma("wal_checkpoint(TRUNCATE)");
      sqlite.close();
    },
  };
}

function inserter(sqlite: Database.Database, { dataset, columns, indexed }: PlainTable): (snapshot: Snapshot) => void {
  const table = dataset.name.replaceAll("-", "_");
  const all = ["account", "taken_at", ...columns];
  sqlite.exec(`create table ${table} (${all.map((column) => `${column} text`).join(", ")})`);
  sqlite.exec(`create index ${table}_item on ${table} (account, ${indexed}, taken_at)`);
  const insert = sqlite.prepare(`insert into ${table} values (${all.map(() => "?").join(", ")})`);
  const nameOf = new Map(Object.keys(dataset.columns).map((name) => [snakeCase(name), name]));
  const cellOf = (row: Row, column: string): Value => row[nameOf.get(column) ?? ""] ?? null;
  return ({ scope, takenAt, items }) => {
    for (const { row } of items) {
      const cells = columns.map((column) => (column === "product_type" ? scope : cellOf(row, column)));
      const texts = cells.map((cell) => (typeof cell === "number" ? new Date(cell).toISOString() : cell));
      insert.run("main", new Date(takenAt).toISOString(), ...texts);
    }
  };
}
