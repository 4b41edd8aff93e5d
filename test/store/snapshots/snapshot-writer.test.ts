import fc from "fast-check";
import { parse, stringify } from "lossless-json";
import { expect, it } from "vitest";
import { type Column, snakeCase } from "../../../src/core/columns.ts";
import type { Item, Scope, Value } from "../../../src/core/domain.ts";
import type { Dataset } from "../../../src/datasets/dataset.ts";
import { datasets, snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { verify } from "../../../src/store/verify/verify.ts";
import { collect, failed, good, minute, query, start } from "../kit.ts";
import { open, temporaryPath } from "../temporary.ts";

const digits = fc.oneof(
  fc.constantFrom("0", "0.10", "-0.00", "1.50", "12345678901234567890.000000000000000001"),
  fc.stringMatching(/^-?[0-9]{1,6}(\.[0-9]{1,10})?$/),
);

const cells: Record<Column["kind"], fc.Arbitrary<Value>> = {
  decimal: digits,
  text: fc.constantFrom("", "isolated", "ü€😀", "a\nb"),
  millis: fc.constantFrom(0, 1_790_000_000_001, 1_790_000_000_999),
  flag: fc.constantFrom(0, 1),
};

/** Uses few keys, so that items return, and few values, so that many do not change. */
function anItem(dataset: Dataset): fc.Arbitrary<Item> {
  const row = Object.entries(dataset.columns).map(([name, { kind, required }]) => {
    if (dataset.key.includes(name)) return [name, fc.constantFrom("BTC", "ETH", "SOL")];
    const usual = fc.constant(required ? 1 : null);
    return [name, fc.oneof({ weight: 3, arbitrary: usual }, cells[kind])];
  });
  const extra = fc.option(fc.dictionary(fc.constantFrom("z", "a"), fc.constantFrom(parse('{"n":1.10}'), "x", null)));
  return fc.record({ row: fc.record(Object.fromEntries(row)), extra }) as fc.Arbitrary<Item>;
}

const keyOf = (dataset: Dataset, { row }: Item): string => dataset.key.map((name) => row[name]).join("/");

type Outcome = Item[] | "failed" | "unasked";

const anOutcome = (dataset: Dataset): fc.Arbitrary<Outcome> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.uniqueArray(anItem(dataset), { maxLength: 4, selector: (one) => keyOf(dataset, one) }) },
    fc.constantFrom("failed" as const, "unasked" as const),
  );

/** Returns the expected row of the history view. */
function shown(dataset: Dataset, { row, extra }: Item, takenAt: number): object {
  const read = Object.entries(dataset.columns).map(([name, { kind }]) => {
    const value = row[name];
    return [snakeCase(name), kind === "millis" && typeof value === "number" ? new Date(value).toISOString() : value];
  });
  const names = Object.keys(extra ?? {}).sort();
  const json = names.length === 0 ? null : stringify(Object.fromEntries(names.map((name) => [name, extra?.[name]])));
  return { ...Object.fromEntries(read), taken_at: new Date(takenAt).toISOString(), extra: json };
}

/** Returns the expected last row of a removed item. */
function zeroed(dataset: Dataset, { row }: Item): Item {
  const zeros = Object.entries(dataset.columns).map(([name, { kind }]) => {
    if (dataset.key.includes(name)) return [name, row[name]];
    return [name, kind === "decimal" && row[name] !== null ? "0" : null];
  });
  return { row: Object.fromEntries(zeros), extra: null };
}

/** A reference implementation: stores every row of every snapshot. */
class PlainHistory {
  readonly all: object[] = [];
  readonly latest = new Map<Scope, object[]>();
  readonly #held = new Map<Scope, Item[]>();
  readonly #dataset: Dataset;

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  add(scope: Scope, items: Item[], takenAt: number): void {
    const keys = new Set(items.map((one) => keyOf(this.#dataset, one)));
    const removed = (this.#held.get(scope) ?? []).filter((one) => !keys.has(keyOf(this.#dataset, one)));
    const zeros = this.#dataset.onRemoval === "zeroRow" ? removed.map((one) => zeroed(this.#dataset, one)) : [];
    const rows = [...items, ...zeros].map((one) => shown(this.#dataset, one, takenAt));
    this.all.push(...rows);
    this.latest.set(scope, rows);
    this.#held.set(scope, items);
  }
}

const inOneOrder = (rows: object[]): string[] => rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();

const subjects = (
  [
    ["spot-assets", [null]],
    ["mix-accounts", ["umcbl", "unified"]],
    ["positions", ["umcbl", "dmcbl"]],
    ["equity", [null]],
  ] as const
).map(([name, scopes]) => ({ dataset: snapshotDatasetNamed(name), scopes }));

it.each(subjects)("$dataset.name: every view returns exactly what was stored", async ({ dataset, scopes }) => {
  const view = dataset.name.replace("-", "_");
  const columns = Object.keys(shown(dataset, { row: {}, extra: null }, 0)).join(", ");
  const runs = fc.array(fc.tuple(...scopes.map(() => anOutcome(dataset))), { minLength: 1, maxLength: 7 });
  await fc.assert(
    fc.asyncProperty(runs, async (outcomes) => {
      const path = temporaryPath();
      const plain = new PlainHistory(dataset);
      let store = await open(path);
      for (const [at, responses] of outcomes.entries()) {
        const takenAt = start + at * minute + 217;
        const requested = scopes.map((scope, index) => ({ scope, response: responses[index] }));
        const snapshots = requested.flatMap(({ scope, response }) =>
          Array.isArray(response) ? good(response, takenAt, scope) : [],
        );
        const failures = requested.flatMap(({ scope, response }) =>
          response === "failed" ? failed("tls", takenAt, scope) : [],
        );
        for (const { scope, items } of snapshots) plain.add(scope, items, takenAt);
        const state = await collect(store, dataset, start + at * minute, { snapshots, failures });
        // A scope that is requested again, even without success, is shown again; comparing only complete runs avoids that case.
        if (state === "ok")
          for (const { scope, response } of requested) if (response === "unasked") plain.latest.delete(scope);
        if (at === 3) {
          store.close();
          store = await open(path);
        }
      }
      const known = (await store.latest(dataset)).flatMap(({ rows, takenAt }) =>
        rows.map((row) => shown(dataset, { row, extra: null }, takenAt)),
      );
      store.close();
      const latest = query(path, `select ${columns} from ${view}_latest`);
      expect(inOneOrder(query(path, `select ${columns} from ${view}_history`))).toEqual(inOneOrder(plain.all));
      expect(inOneOrder(known)).toEqual(inOneOrder(latest.map((row) => ({ ...row, extra: null }))));
      const returned =
        outcomes.some((responses) => responses.includes("unasked")) &&
        outcomes.some((responses) => responses.includes("failed"));
      if (!returned) expect(inOneOrder(latest)).toEqual(inOneOrder([...plain.latest.values()].flat()));
      const counts = `(select count(*) from ${view}_history h where h.snapshot_id = n.snapshot_id)`;
      expect(query(path, `select * from snapshots n where rows <> ${counts}`)).toEqual([]);
      expect((await verify(path, datasets)).problems).toEqual([]);
    }),
    { numRuns: 15 },
  );
});
