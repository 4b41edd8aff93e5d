/** Simulated hours of an account, for histories that are copied. */
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import type { Store } from "../../../src/store/store.ts";
import { collect, failed, good, item, start } from "../kit.ts";

const spotAssets = snapshotDatasetNamed("spot-assets");
const positions = snapshotDatasetNamed("positions");
const at = (n: number): number => start + n * 3_600_000;

/** An hour of an account: coins and positions that come and go, failures, missed slots. `seed` decides which. */
export async function hourOf(store: Store, account: string, n: number, seed: number): Promise<void> {
  const coins = ["BTC", "ETH", "SOL", "XRP"].filter((_, at) => (seed >> at) % 2 === 0);
  const amounts = coins.map((coin) => item(spotAssets, { coin, available: `${seed % 7}.${n}`, frozen: "-0.00" }));
  const held = ["BTCUSDT", "ETHUSDT"].filter((_, at) => (seed >> (at + 4)) % 2 === 0);
  const lines = held.map((symbol) =>
    item(positions, {
      ...{ symbol, marginCoin: "USDT", holdSide: "long", marginMode: "crossed", total: `${(seed % 3) + 1}` },
      ...{ openedAt: start, markPrice: `${60_000 + seed}.10`, unrealizedPl: `-${n}.50` },
    }),
  );
  if (seed % 11 === 0)
    await store.closeSlots(account, "spot-assets", [{ slot: at(n), state: "missed", cause: "not running" }]);
  else await collect(store, spotAssets, at(n), { snapshots: [good(amounts, at(n) + 400)] }, account);
  const failures = seed % 5 === 0 ? [failed("timeout", at(n) + 500, "dmcbl")] : [];
  const snapshots = [good(lines, at(n) + 400, "umcbl"), ...(failures.length > 0 ? [] : [good([], at(n), "dmcbl")])];
  await collect(store, positions, at(n), { snapshots, failures }, account);
}
