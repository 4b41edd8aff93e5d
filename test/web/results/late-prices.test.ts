/** Tests that results are final only when the nearest price is, which may be recorded hours later. */
import { expect, it, onTestFinished } from "vitest";
import { runToEnd } from "../../../src/core/async/cooperate.ts";
import { dayMs, hourMs } from "../../../src/core/time.ts";
import { bills } from "../../../src/datasets/ledger/bills.ts";
import { equity } from "../../../src/datasets/snapshots/equity.ts";
import { prices } from "../../../src/datasets/snapshots/prices.ts";
import { openHistory } from "../../../src/store/read/open-history.ts";
import { PaidCache } from "../../../src/web/curves/profit/paid.ts";
import { PnlDays } from "../../../src/web/data/performance/pnl-days.ts";
import { readResults } from "../../../src/web/data/results/results.ts";
import { createView } from "../../../src/web/pages/parts/query-params.ts";
import { equityRow, storeRun } from "../../reports/kit.ts";
import { collect, start } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { rowOf } from "../../support/rows.ts";

const paidAt = start + 2 * dayMs + 20 * hourMs;

it("has the price of the morning after once it is there, as if it had read nothing before", async () => {
  const path = temporaryPath();
  const store = await open(path);
  await store.setSchedule("main", equity.name, "0 * * * *", start - 1);
  await store.setSchedule("main", bills.name, "0 * * * *", start - 1);
  await store.setSchedule("public", prices.name, "0 6 * * *", start - 1);
  const history = openHistory(path);
  onTestFinished(() => history.close());
  /** Records the hours of a span; the price is 100 more each day. A bitcoin is paid in on the third evening. */
  async function record(from: number, to: number): Promise<void> {
    for (let at = start + from * hourMs; at < start + to * hourMs; at += hourMs) {
      await storeRun(store, equity, at, [{ ...equityRow(at > paidAt ? "1300" : "1000"), futuresUsdt: "0" }]);
      const cells = { billId: "1", coin: "BTC", at: paidAt, type: "deposit", amount: "1", fee: "0", balance: "1" };
      const items = at - hourMs === paidAt ? [{ row: rowOf(bills, cells), extra: null }] : [];
      const reading = { through: at + 1, window: null, hole: null };
      await collect(store, bills, at, { snapshots: [{ scope: "spot", takenAt: at, items, reading }] });
      const price = String(100 * (1 + Math.floor((at - start) / dayMs)));
      if ((at - start) % dayMs === 6 * hourMs)
        await storeRun(store, prices, at, [{ coin: "BTC", quote: "USDT", price }]);
    }
    await store.ledger?.reconcile("main", start + to * hourMs);
  }
  const [paid, days] = [new PaidCache(), new PnlDays()];
  /** Returns the value of what was paid in, as the curve, the days and the overview have it. */
  function valuesAt(hours: number, ofCurve = paid, ofDays = days) {
    const now = start + hours * hourMs;
    const view = createView(
      history,
      { account: null, at: null, isExact: false, params: {} },
      { timezone: "UTC", now: () => now },
    );
    const flows = runToEnd(ofCurve.recorded(history, "main", now));
    const all = runToEnd(ofDays.of(history, "main", { timezone: "UTC", from: start, to: start + 3 * dayMs, now }));
    return [flows?.[0]?.usdt, all.at(-1)?.row.flows, runToEnd(readResults(view)).week?.paidIn];
  }

  await record(0, 3 * 24 + 4);
  expect(valuesAt(3 * 24 + 3.5)).toEqual(["300", "300", "300"]);
  await record(3 * 24 + 4, 4 * 24 + 4);
  expect(valuesAt(4 * 24 + 3.5, new PaidCache(), new PnlDays()).slice(0, 2)).toEqual(["400", "400"]);
  expect(valuesAt(4 * 24 + 3.5)).toEqual(["400", "400", "400"]);
});
