import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { collect, query, storeAt } from "../test/store/kit.ts";
import { accountMinutes, positions, spotAssets } from "../test/store/minutes.ts";
import { type Comparison, compare, type Figure } from "./figure.ts";
import { newFolder } from "./folder.ts";
import { openPlain } from "./plain.ts";

const days = 3;
const minutes = days * 1440;
/** The number of tables that are listed, largest first. */
const named = 4;
const perMinute = "file per snapshot minute";

export const bytes: Figure = {
  name: "bytes",
  summary: `database file after ${days} days of minutes, 50 coins (5 % change each minute) and 20 positions (all change)`,
  async run() {
    const folder = newFolder();
    const path = join(folder, "collector.db");
    const plainPath = join(folder, "plain.db");
    const store = await storeAt(path);
    const plain = openPlain(plainPath, [spotAssets, positions]);
    for (const { slot, coins, lines, spreadMs } of accountMinutes(minutes)) {
      await Promise.all([
        collect(store, spotAssets, slot, { snapshots: [coins] }),
        collect(store, positions, slot, { snapshots: lines, requests: lines.length, spreadMs }),
      ]);
      plain.add([
        [spotAssets, [coins]],
        [positions, lines],
      ]);
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

/** Returns the size of the largest tables, with their indexes. */
function splitOf(path: string, whole: number): Comparison[] {
  const sizes = query(
    path,
    `select tbl_name as name, sum(pgsize) as size from dbstat join sqlite_schema using (name)
     group by tbl_name order by size desc limit ${named}`,
  );
  return sizes.map(({ name, size }) => compare(`of which ${name}`, Number(size) / minutes, "bytes", perMinute, whole));
}
