/** What goes wrong in the history of the demo, by the number of the hourly slot before which it begins. */
import type { SimulatedClock } from "../../../core/clock.ts";
import { hourMs, minuteMs } from "../../../core/time.ts";
import type { AnyDataset } from "../../../datasets/incremental.ts";
import type { Simulator } from "../../../simulator/simulator.ts";

interface Scene {
  exchange: Simulator;
  clock: SimulatedClock;
  /** When the slot is due. Epoch ms. */
  slot: number;
}

const day = (number: number): number => 24 * number;

/** The first slot, and the number of slots, of each event. */
export const eventSlots = {
  asleep: { first: day(6) + 1, count: 5 },
  outage: { first: day(10) + 1, count: 1 },
  coinMargined: { first: day(12), count: 3 },
  fundingWallet: { first: day(15), count: 3 },
  /** The days of a withdrawal and of a loss, after which it counts in the drawdown of a day. */
  withdrawal: { first: day(18) - 1, count: 28 },
  upgrade: { first: day(20), count: 2 },
  loss: { first: day(22) - 1, count: 28 },
  unknownField: { first: day(27), count: 12 },
} as const;

/** Returns whether the machine sleeps while a slot is due. */
export const isAsleep = (slot: number): boolean =>
  slot >= eventSlots.asleep.first && slot < eventSlots.asleep.first + eventSlots.asleep.count;

const { asleep, outage, coinMargined, fundingWallet, upgrade } = eventSlots;
const after = ({ first, count }: { first: number; count: number }): number => first + count;
const forever = Number.POSITIVE_INFINITY;
const end = ({ exchange }: Scene): void => exchange.clearFaults();

const scenes = new Map<number, (scene: Scene) => void>([
  [after(asleep), ({ clock, slot }) => clock.sleepUntil(slot)],
  [outage.first, ({ exchange }) => exchange.injectFault({ status: 502, message: "Bad Gateway", times: forever })],
  [after(outage), end],
  [
    coinMargined.first,
    ({ exchange }) =>
      exchange.injectFault({
        ...{ path: "/api/v2/mix", account: "main", params: { productType: "COIN-FUTURES" }, times: forever },
        ...{ status: 500, code: "40015", message: "System is abnormal, please try again later" },
      }),
  ],
  [after(coinMargined), end],
  [
    fundingWallet.first,
    ({ exchange }) =>
      exchange.injectFault({ path: "/api/v3/account/funding-assets", account: "hedge", hang: true, times: forever }),
  ],
  [after(fundingWallet), end],
  [
    upgrade.first,
    ({ exchange }) =>
      exchange.injectFault({ account: "main", status: 503, message: "The account is being upgraded", times: forever }),
  ],
  [
    after(upgrade),
    ({ exchange, clock, slot }) => {
      exchange.clearFaults();
      clock.jump(slot - hourMs + 30 * minuteMs);
      exchange.upgrade("main");
    },
  ],
]);

/** Lets happen what begins or ends before a slot. */
export const enact = (number: number, scene: Scene): void => scenes.get(number)?.(scene);

const unknownColumn = "breakEvenPrice";

/** Returns the datasets of an older version of this program, which has no column for a field of positions. */
export const olderDatasets = (datasets: readonly AnyDataset[]): AnyDataset[] =>
  datasets.map((dataset) => {
    if (dataset.mode !== "snapshot" || dataset.name !== "positions") return dataset;
    const sources = Object.entries(dataset.sources).map(([version, source]) => {
      const items: typeof source.items = (...input) =>
        source.items(...input).map(({ row, extra }) => ({
          row: { ...row, [unknownColumn]: null },
          extra: { ...extra, [unknownColumn]: row[unknownColumn] ?? null },
        }));
      return [version, { ...source, items }];
    });
    return { ...dataset, sources: Object.fromEntries(sources) };
  });
