import { expect, it } from "vitest";
import { AlertEvaluator } from "../../../src/alerts/evaluator.ts";
import type { Row } from "../../../src/core/domain.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import { collect, good, item, minute, start } from "../../store/kit.ts";
import { open, temporaryPath } from "../../store/temporary.ts";
import { SettableClock } from "../../support/world.ts";

const settings = {
  webhook: null,
  liquidationDistance: null,
  marginRatio: null,
  drawdown: "0.1",
  drawdownHours: 168,
  stale: false,
  keyRefused: false,
  ledgerBreak: false,
};

/** Returns the notifications sent while these prices of DUST and rows of equity are stored, each at its minute. */
async function notificationsOf(minutes: readonly (readonly [number, string | null, Row])[]): Promise<string[]> {
  const store = await open(temporaryPath());
  const watch = new AlertEvaluator(store, settings, new SettableClock(start));
  await watch.begin();
  await store.setSchedule("main", "equity", "* * * * *", start);
  const sent: string[] = [];
  for (const [at, price, equity] of minutes) {
    const slot = start + at * minute;
    const prices = [item(snapshotDatasetNamed("prices"), { coin: "DUST", quote: "USDT", price })];
    await collect(store, snapshotDatasetNamed("prices"), slot, { snapshots: [good(prices, slot)] }, "public");
    await collect(store, snapshotDatasetNamed("equity"), slot, {
      snapshots: [good([item(snapshotDatasetNamed("equity"), equity)], slot)],
    });
    for (let more = true; more; ) {
      const result = await watch.evaluateNew();
      more = result.more;
      sent.push(...result.notifications.map(({ state, value }) => `${at} ${state} ${value}`));
    }
  }
  return sent;
}

const without = (pricedUsdt: string): Row => ({ complete: 0, pricedUsdt, unpriced: '{"DUST":"5"}', missing: null });

it("a fall of equity is reported at once although a worthless coin lost its price in the same hour", async () => {
  const sent = await notificationsOf([
    [0, "0.000001", { usdtEquity: "1000.000005", complete: 1 }],
    [5, null, without("1000")],
    [20, null, without("400")],
    [120, null, without("400")],
  ]);
  expect(sent).toEqual([expect.stringMatching(/^20 fired 0\.6/)]);
});

it("a valuable coin that loses its price is no fall of equity", async () => {
  expect(
    await notificationsOf([
      [0, "100", { usdtEquity: "1000", complete: 1 }],
      [5, null, without("500")],
      [120, null, without("500")],
    ]),
  ).toEqual([]);
});

it("a price of zero, stored by older versions for a coin that was never traded, counts as no price", async () => {
  const sent = await notificationsOf([
    [0, "0", { usdtEquity: "1000", complete: 1 }],
    [61, null, without("400")],
  ]);
  expect(sent).toEqual(["61 fired 0.6"]);
});
