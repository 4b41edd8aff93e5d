/** Every dataset of records: each digit is covered by verification, and an export restores the same history. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Columns, snakeCase } from "../../../src/core/columns.ts";
import { type Item, productTypes, type RecordBatch, type Scope, type Value } from "../../../src/core/domain.ts";
import { type IncrementalDataset, sourcesOf } from "../../../src/datasets/incremental.ts";
import { datasets, recordDatasets } from "../../../src/datasets/index.ts";
import { withHistory } from "../../../src/store/read/open-history.ts";
import { prefixOf } from "../../../src/store/schema/tables.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { endings, exported, imported } from "../../scenarios/export/support.ts";
import { change, collect, minute, query, start } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";

const at = (minutes: number): number => start + minutes * minute;

/** Returns a record with a value in every column; `cells` replaces some. */
function record(dataset: IncrementalDataset, id: string, cells: Record<string, Value> = {}): Item {
  const columns: Columns = dataset.columns;
  const row = Object.entries(columns).map(([name, { kind }], n): [string, Value] => {
    if (kind === "decimal") return [name, `-${n}.5000`];
    return [name, kind === "millis" ? start + n : `text ${n}`];
  });
  return { row: { ...Object.fromEntries(row), [dataset.id]: id, ...cells }, extra: null };
}

const batch = (minutes: number, scope: Scope, items: Item[]): RecordBatch => ({
  ...{ scope, takenAt: at(minutes), items },
  reading: { through: at(minutes), window: null, hole: null },
});

const scopesOf = (dataset: IncrementalDataset): Scope[] => [
  ...new Set(sourcesOf(dataset).flatMap((source) => source.scopes(productTypes))),
];

/** Stores records of every scope in three runs: with empty and unknown cells, other content under a known id, long ids, and none. */
async function seeded(dataset: IncrementalDataset): Promise<string> {
  const path = temporaryPath();
  const store = await open(path);
  const optional = Object.entries(dataset.columns).filter(([, { required }]) => !required);
  const unknown = Object.fromEntries(optional.map(([name]) => [name, null]));
  const [text = ""] = Object.entries(dataset.columns).flatMap(([name, { kind, required }]) =>
    kind === "text" && required && name !== dataset.id ? [name] : [],
  );
  const scopes = scopesOf(dataset);
  const one = record(dataset, "9");
  const runs: Item[][] = [
    [one, record(dataset, "10", unknown), { ...record(dataset, '"11,', { [text]: "" }), extra: { new: "0.10" } }],
    [],
    [record(dataset, "9", { [text]: "another" }), record(dataset, "1488739282722996236")],
    [one, record(dataset, "10", { ...unknown, [text]: "another" })],
  ];
  for (const [minutes, items] of runs.entries())
    await collect(store, dataset, at(minutes), { snapshots: scopes.map((scope) => batch(minutes, scope, items)) });
  store.close();
  return path;
}

const problems = async (path: string): Promise<string[]> => (await verify(path, datasets)).problems;

describe.each(recordDatasets.map((dataset) => [dataset.name, dataset] as const))("%s", (name, dataset) => {
  const table = `${prefixOf(dataset)}_record`;

  it("history is read as its view shows it, whatever the cells contain", async () => {
    const path = await seeded(dataset);
    const store = await open(path);
    const texts = ["a\u0000b", `'"\\,\n😀`, "", "Transfer In", "burst_close_long", "settle_interest"];
    const times = [0, 999, 253_402_300_799_999, 253_402_300_800_000, 8_640_000_000_000_000, start];
    const amounts = ["0", "-0.10", "123456789012345678901234567890.000000000000000001", "1.0", "-5"];
    const values: Record<string, readonly Value[]> = { text: texts, millis: times, decimal: amounts };
    const items = Array.from({ length: 60 }, (_, n) => {
      const cells = Object.entries(dataset.columns).map(([name, { kind, required }], at) => {
        const some = [...(values[kind] ?? []), ...(required ? [] : [null])];
        return [name, some[(n * (at + 1) + at) % some.length] ?? null] as const;
      });
      return record(
        dataset,
        String(10n ** BigInt(n % 25) + BigInt(n)),
        Object.fromEntries(cells.filter(([name]) => name !== dataset.id)),
      );
    });
    const scopes = scopesOf(dataset).slice(0, 2);
    await collect(store, dataset, at(50), { snapshots: scopes.map((scope) => batch(50, scope, items)) });
    const id = snakeCase(dataset.id);
    const order = `at_ms, length(${id}), ${id}, version`;
    const view = query(path, `select * from ${prefixOf(dataset)} where at_ms >= 0 order by ${order}`);
    const shown = view.map((row) => Object.values(row).map((cell) => (typeof cell === "number" ? BigInt(cell) : cell)));
    withHistory(path, (history) => {
      const span = { from: 0, to: Number.MAX_SAFE_INTEGER };
      const read = [...history.rows(dataset, {}, span)];
      expect(read.map(String).sort()).toEqual(shown.map(String).sort());
    });
  });

  it("verification finds an altered digit in any column", async () => {
    const path = temporaryPath();
    const store = await open(path);
    const columns = Object.entries(dataset.columns);
    const [scope = null] = scopesOf(dataset);
    for (const [n] of columns.entries())
      await collect(store, dataset, at(n), { snapshots: [batch(n, scope, [record(dataset, String(n))])] });
    store.close();
    expect(await problems(path)).toEqual([]);
    for (const [n, [column, { kind }]] of columns.entries()) {
      const cell = snakeCase(column);
      const other = kind === "text" ? `${cell} || 'x'` : kind === "decimal" ? "x'a1b5001f'" : `${cell} + 1`;
      expect(change(path, `update ${table} set ${cell} = ${other} where snapshot_id = ${n + 1}`)).toBe(1);
    }
    const found = (await problems(path)).filter((one) => one.includes(`(${table}): is not what was received`));
    expect(found.length, columns.map(([column]) => column).join()).toBe(columns.length);
  });

  it.each(name === "bills" ? endings : ["csv"])(
    "export, import and export again gives the same bytes, as %s",
    async (ending) => {
      const path = await seeded(dataset);
      const file = await exported(path, name, ending);
      const copy = await imported([file]);
      expect(readFileSync(await exported(copy, name, ending))).toEqual(readFileSync(file));
      expect(await problems(copy)).toEqual([]);
      const rows = `select count(*) as n, count(distinct version) as versions from ${table}`;
      expect(query(copy, rows)).toEqual(query(path, rows));
    },
  );
});

it("records without their earlier versions are not imported", async () => {
  const [dataset] = recordDatasets;
  if (!dataset) throw new Error("there is none");
  const path = await seeded(dataset);
  const file = await exported(path, dataset.name, "csv", { from: at(1), to: at(5) });
  await expect(imported([file])).rejects.toThrow("9: version 1 follows 0 others; all of them must be imported");
});
