/** Tests that entries in blocks are those that the history has, while the collector stores more. */
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { dayMs } from "../../../src/core/time.ts";
import { bills } from "../../../src/datasets/ledger/bills.ts";
import { openHistory } from "../../../src/store/read/open-history.ts";
import { withEntryBlocks } from "../../../src/web/reading/entry-blocks.ts";
import { collect, start } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { rowOf } from "../../support/rows.ts";

const days = 70;

/** A history of two accounts with an entry on every third day of `hedge` and on each day of `main`, at its first millisecond. */
async function startEntries() {
  const path = temporaryPath();
  const store = await open(path);
  for (const account of ["main", "hedge"]) await store.setSchedule(account, bills.name, "0 0 * * *", start - 1);
  const add = (account: string, day: number) => {
    const at = start + day * dayMs;
    const row = rowOf(bills, {
      billId: String(1000 + day),
      coin: "USDT",
      at,
      type: "deposit",
      amount: "1",
      balance: "1",
    });
    const reading = { through: at + 1, window: null, hole: null };
    const snapshots = [{ scope: "spot" as const, takenAt: at, items: [{ row, extra: null }], reading }];
    return collect(store, bills, at, { snapshots }, account);
  };
  for (let day = 0; day < days; day += 1) {
    await add("main", day);
    if (day % 3 === 0) await add("hedge", day);
  }
  const history = openHistory(path);
  onTestFinished(() => history.close());
  return { history, add };
}

it("has the entries of any span of any account", async () => {
  const { history } = await startEntries();
  const inBlocks = withEntryBlocks(history);
  const instant = fc.tuple(fc.integer({ min: -40, max: days + 40 }), fc.integer({ min: -1, max: 1 }));
  const spans = fc.tuple(instant, instant, fc.constantFrom(null, "main", "hedge", "nobody"));
  fc.assert(
    fc.property(spans, ([[from, before], [to, after], account]) => {
      const span = { from: start + from * dayMs + before, to: start + to * dayMs + after };
      expect([...inBlocks.entries(account, span)]).toEqual([...history.entries(account, span)]);
    }),
  );
  expect([...inBlocks.entries(null, { from: start, to: start + days * dayMs })]).toHaveLength(days + 24);
});

it("has the ledgers of the state that is held, and later those of the next one", async () => {
  const { history, add } = await startEntries();
  const through = () => history.ledgers("main").map((ledger) => ledger.through - start);
  const before = [(days - 1) * dayMs + 1];
  const release = history.hold();
  expect(through()).toEqual(before);
  await add("main", days);
  expect([through(), through()]).toEqual([before, before]);
  release();
  expect(through()).toEqual([days * dayMs + 1]);
  expect(history.ledgers("nobody")).toEqual([]);
});
