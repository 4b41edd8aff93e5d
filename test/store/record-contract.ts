/** Tests the `Store` interface for incremental datasets. Every implementation must pass this suite, which uses nothing but the interface. */
import { describe, expect, it, onTestFinished } from "vitest";
import type { Item, ReadProgress, RecordBatch, Scope, Value } from "../../src/core/domain.ts";
import type { RunOutcome, Store } from "../../src/store/store.ts";
import { bills } from "../support/bills.ts";
import type { NewDatabase } from "./contract.ts";
import { failed, minute, start } from "./kit.ts";

export const at = (minutes: number): number => start + minutes * minute;

export const bill = (id: number, cells: Record<string, Value> = {}): Item => ({
  row: {
    billId: String(id),
    at: at(id),
    type: "buy",
    coin: "USDT",
    amount: `-${id}.50`,
    fee: "0",
    balance: null,
    ...cells,
  },
  extra: null,
});

/** Returns a batch that was read up to the minute at which it was taken, unless `reading` is given. */
export const batch = (
  minutes: number,
  items: Item[],
  reading: Partial<ReadProgress> = {},
  scope: Scope = "umcbl",
): RecordBatch => ({
  scope,
  takenAt: at(minutes),
  items,
  reading: { through: at(minutes), window: null, hole: null, ...reading },
});

/** Ends the run of a slot with these batches. The scope `cut` is incomplete, so it has a failure as well. */
async function store(to: Store, minutes: number, snapshots: RecordBatch[], cut?: Scope): Promise<RunOutcome> {
  const run = await to.begin("main", bills.name, at(minutes), at(minutes));
  if (run === null) throw new Error("the slot is taken");
  return to.finish(run, {
    dataset: bills,
    snapshots,
    failures: cut === undefined ? [] : [failed("deadline", at(minutes), cut)],
    cause: null,
    finishedAt: at(minutes) + 300,
    requests: 1,
    retries: 0,
    spreadMs: null,
    skewMs: null,
    skipped: false,
  });
}

/** Defines the tests. `newDatabase` creates a database with the tables of the dataset `bills`. */
export function recordContract(newDatabase: NewDatabase): void {
  const opened = async (open: () => Promise<Store>): Promise<Store> => {
    const found = await open();
    onTestFinished(() => found.close());
    return found;
  };
  const readingOf = (of: Store, scope: Scope) => of.reading("main", bills.name, scope);

  describe("records", () => {
    it("have the read position of the last batch of their scope, also after reopening; none before the first", async () => {
      const open = newDatabase();
      const first = await open();
      expect(await readingOf(first, "umcbl")).toBeNull();
      const window = { from: at(1), to: at(2), cursor: "3" };
      const hole = { from: 0, to: at(-60) };
      await store(first, 1, [batch(1, [bill(1)], { hole }), batch(1, [bill(1)], { window }, "cmcbl")]);
      await store(first, 2, [batch(2, [bill(2)])], "cmcbl");
      first.close();
      const again = await opened(open);
      expect(await readingOf(again, "umcbl")).toEqual({ through: at(2), window: null, hole: null });
      expect(await readingOf(again, "cmcbl")).toEqual({ through: at(1), window, hole: null });
      expect(await readingOf(again, "dmcbl")).toBeNull();
      expect(await again.reading("hedge", bills.name, "umcbl")).toBeNull();
    });

    it("of an incomplete scope are stored, and make the run partial", async () => {
      const to = await opened(newDatabase());
      const window = { from: at(1), to: at(2), cursor: "1" };
      expect(await store(to, 1, [batch(1, [bill(1)], { window })], "umcbl")).toMatchObject({ state: "partial" });
      expect(await readingOf(to, "umcbl")).toMatchObject({ window });
      expect(await store(to, 2, [batch(2, [bill(1), bill(2)])])).toMatchObject({ state: "ok", changed: [] });
    });

    it("are reported if they changed, each version once; the same id in another scope is another record", async () => {
      const to = await opened(newDatabase());
      const [first, second] = [bill(1), bill(1, { fee: "-0.10" })];
      const changes = [[first], [first], [second], [first, second], [second]].entries();
      const found: unknown[] = [];
      for (const [minutes, items] of changes) found.push((await store(to, minutes, [batch(minutes, items)])).changed);
      expect(found).toEqual([[], [], ["1"], [], []]);
      expect((await store(to, 9, [batch(9, [second], {}, "cmcbl")])).changed).toEqual([]);
    });

    it("are stored together with their read position and the end of their run, or not at all", async () => {
      const to = await opened(newDatabase());
      await store(to, 1, [batch(1, [bill(1)])]);
      const broken: RecordBatch = {
        ...batch(2, [], {}, "cmcbl"),
        get items(): never {
          throw new TypeError("a bug");
        },
      };
      await expect(store(to, 2, [batch(2, [bill(1, { fee: "-0.10" })]), broken])).rejects.toThrow("a bug");
      expect(await readingOf(to, "umcbl")).toMatchObject({ through: at(1) });
      expect(await store(to, 3, [batch(3, [bill(1, { fee: "-0.10" })])])).toMatchObject({
        state: "ok",
        changed: ["1"],
      });
    });

    it("fail only their own scope if a value cannot be stored exactly", async () => {
      const to = await opened(newDatabase());
      const bad = batch(1, [bill(5, { amount: "12,5" })]);
      expect(await store(to, 1, [bad, batch(1, [bill(6)], {}, "cmcbl")])).toEqual({
        state: "partial",
        failures: [
          { scope: "umcbl", takenAt: at(1), code: "shape", message: '5: amount: not a decimal number: "12,5"' },
        ],
        changed: [],
      });
      expect(await readingOf(to, "umcbl")).toBeNull();
      expect(await readingOf(to, "cmcbl")).toMatchObject({ through: at(1) });
    });
  });
}
