import Database from "better-sqlite3";
import { expect, it } from "vitest";
import type { Cell, Item, Scope } from "../../../src/core/domain.ts";
import type { Dataset } from "../../../src/datasets/dataset.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import type { Filter } from "../../../src/store/history.ts";
import { historyColumns, scanHistory, selectRows } from "../../../src/store/read/scan.ts";
import { collect, failed, good, item, minute, start } from "../kit.ts";
import { pseudoRandom } from "../minutes.ts";
import { open, temporaryPath } from "../temporary.ts";

const minutes = 120;
const whole = { from: 0, to: Number.MAX_SAFE_INTEGER, newest: Number.POSITIVE_INFINITY };

/** Stores a random history: items appear, change and are removed, snapshots fail, and sometimes the exchange's clock steps back. */
async function randomHistory(dataset: Dataset, scopes: readonly Scope[], one: (n: number, random: Random) => Item) {
  const path = temporaryPath();
  const store = await open(path);
  const random = pseudoRandom(7);
  for (const account of ["main", "hedge"]) {
    const held = new Map<string, Item>();
    for (let at = 0; at < minutes; at += 1) {
      const slot = start + at * minute;
      const takenAt = slot + (random(20) === 0 ? -90_000 : random(500));
      const results = scopes.map((scope) => {
        for (let n = 0; n < 6; n += 1) {
          const chance = random(10);
          if (chance < 3) held.set(`${scope} ${n}`, one(n, random));
          if (chance === 3) held.delete(`${scope} ${n}`);
        }
        const items = [...held].filter(([name]) => name.startsWith(`${scope} `)).map(([, item]) => item);
        return random(12) === 0 ? failed("timeout", takenAt, scope) : good(items, takenAt + random(3), scope);
      });
      await collect(
        store,
        dataset,
        slot,
        {
          snapshots: results.filter((result) => "items" in result),
          failures: results.filter((result) => "code" in result),
        },
        account,
      );
    }
  }
  const sqlite = new Database(path, { readonly: true });
  return { sqlite, close: () => sqlite.close() };
}

/** Sorts by time and text, since the view has no defined order. */
const sorted = (rows: readonly Cell[][]): Cell[][] =>
  [...rows].sort((one, other) => Number(one.at(-1)) - Number(other.at(-1)) || (text(one) < text(other) ? -1 : 1));

const text = (row: readonly Cell[]): string => row.map(String).join();

type Random = (below: number) => number;

const spotAssets = snapshotDatasetNamed("spot-assets");
const positions = snapshotDatasetNamed("positions");

const histories = [
  {
    dataset: spotAssets,
    view: "spot_assets_history",
    scopes: [null],
    one: (n: number, random: Random) =>
      item(
        spotAssets,
        {
          coin: `COIN${n}`,
          available: `${random(3)}.50`,
          frozen: random(2) ? "0" : null,
          updatedAt: start + random(9),
        },
        random(4) === 0 ? { hint: random(3) } : null,
      ),
    filters: [{}, { account: "hedge" }, { coin: "COIN3" }, { coin: "COIN3' or 1=1 --" }] as Filter[],
  },
  {
    dataset: positions,
    view: "positions_history",
    scopes: ["umcbl", "dmcbl"] as const,
    one: (n: number, random: Random) =>
      item(positions, {
        symbol: `COIN${n}USDT`,
        marginCoin: "USDT",
        holdSide: n % 2 ? "long" : "short",
        marginMode: "crossed",
        total: String(random(3) + 1),
        markPrice: random(3) ? `${random(5)}.7` : null,
        openedAt: random(3) ? start + random(9) : null,
      }),
    filters: [{}, { symbol: "COIN2USDT", account: "main" }, { product_type: "dmcbl" }] as Filter[],
  },
];

it.each(histories)(
  "reads the rows of $view, with any filter and span",
  async ({ dataset, view, scopes, one, filters }) => {
    const { sqlite, close } = await randomHistory(dataset, scopes, one);
    const viewed = (where: string): Cell[][] =>
      sorted(sqlite.prepare<[], Cell[]>(`select * from ${view} where ${where}`).raw().safeIntegers().all());
    const spans = [
      { from: 0, to: Number.MAX_SAFE_INTEGER },
      { from: start + 60 * minute, to: start + 61 * minute },
      { from: start + 40 * minute + 250, to: start + 90 * minute },
      { from: start + 500 * minute, to: start + 600 * minute },
    ];
    for (const filter of filters) {
      const chosen = Object.entries(filter).map(([name, value]) => `${name} = '${value?.replaceAll("'", "''")}'`);
      for (const { from, to } of spans) {
        const rows = [...selectRows(sqlite, dataset, filter, { from, to })];
        expect(sorted(rows)).toEqual(
          viewed([...chosen, `taken_at_ms >= ${from}`, `taken_at_ms < ${to}`].join(" and ")),
        );
        const newest = [...selectRows(sqlite, dataset, filter, { from, to }, { newest: 17 })];
        expect(newest).toEqual(rows.slice(-17));
        expect(rows.map((row) => Number(row.at(-1)))).toEqual(sorted(rows).map((row) => Number(row.at(-1))));
      }
    }
    close();
  },
);

it.each(histories)("joins adjacent cells of $view into the same lines, in fewer pieces", async (life) => {
  const { sqlite, close } = await randomHistory(life.dataset, life.scopes, life.one);
  const wanted = { ...whole, filter: {}, order: "stored", changes: false } as const;
  const cell = (cell: Cell, column: string) => `${column}:${cell}`;
  const join = (cells: readonly string[]) => cells.join(",");
  const apart = [...scanHistory(sqlite, life.dataset, { ...wanted, cell })].flat();
  const joined = [...scanHistory(sqlite, life.dataset, { ...wanted, cell, join })].flat();
  expect(joined.map((row) => row.join(","))).toEqual(apart.map((row) => row.join(",")));
  expect(joined[0]?.length).toBeLessThan((apart[0]?.length ?? 0) / 1.5);
  close();
});

it.each(histories)("finds the rows of $view that differ from the previous row of their item", async (life) => {
  const { sqlite, close } = await randomHistory(life.dataset, life.scopes, life.one);
  const columns = historyColumns(sqlite, life.dataset);
  const rows = selectRows(sqlite, life.dataset, {}, whole, { changes: true });
  const all = [...selectRows(sqlite, life.dataset, {}, whole)];
  const place = (name: string) => columns.indexOf(name);
  const snapshotOf = (row: readonly Cell[]) => Number(row[place("snapshot_id")]);
  const keyOf = (row: readonly Cell[], names: string[]) => names.map((name) => row[place(name)]).join();
  const before = sqlite
    .prepare(
      `select snapshot_id, lag(snapshot_id) over (partition by account, product_type order by snapshot_id)
       from snapshots where state = 'ok'`,
    )
    .raw()
    .all() as [number, number | null][];
  const snapshotBefore = new Map(before);
  const last = new Map<string, { snapshot: number; line: string }>();
  const expected = all
    .sort((one, other) => snapshotOf(one) - snapshotOf(other))
    .filter((row) => {
      const key = keyOf(row, ["account", "product_type", "coin", "symbol"]);
      const ofSnapshot = ["taken_at", "snapshot_id", "taken_at_ms"].map(place);
      const line = text(row.map((cell, at) => (ofSnapshot.includes(at) ? null : cell)));
      const known = last.get(key);
      last.set(key, { snapshot: snapshotOf(row), line });
      // An item that was removed and returned counts as changed, even with the same values.
      return line !== known?.line || snapshotBefore.get(snapshotOf(row)) !== known.snapshot;
    });
  expect(sorted([...rows])).toEqual(sorted(expected));
  close();
});
