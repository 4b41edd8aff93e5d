/** Prices at any instant, and the transfers that are no flows. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prices as dataset } from "../../src/datasets/snapshots/prices.ts";
import { withoutInternal } from "../../src/queries/flows.ts";
import { Prices } from "../../src/queries/prices.ts";
import type { HistoryReader, LedgerEntry } from "../../src/store/history.ts";
import { openHistory } from "../../src/store/read/open-history.ts";
import { hour, storeRun } from "../reports/kit.ts";
import { minute, start, storeAt } from "../store/kit.ts";

describe("the price nearest to an instant", () => {
  let folder: string;
  let history: HistoryReader;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "collector-test-"));
    const path = join(folder, "collector.db");
    const store = await storeAt(path);
    await store.setSchedule("public", "prices", "0 * * * *", start);
    const rows = (btc: string | null, more: string[] = []) => [
      { coin: "BTC", quote: "USDT", price: btc },
      ...more.map((coin) => ({ coin, quote: "USDT", price: "2" })),
    ];
    const all = [rows("100"), rows("200", ["NEW"]), rows(null), rows("400"), ...Array.from({ length: 3 }, () => null)];
    for (const [hours, each] of all.entries()) if (each) await storeRun(store, dataset, start + hours * hour, each);
    await storeRun(store, dataset, start + 9 * hour, rows("900"));
    await store.close();
    history = openHistory(path);
  });
  afterAll(() => {
    history.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ["the last one", "BTC", 1.4, "200"],
    ["the next one", "btc", 0.6, "200"],
    ["the earlier one of two", "BTC", 0.5, "100"],
    ["null where the exchange has none", "BTC", 2.1, null],
    ["one within two periods", "BTC", 5, "400"],
    ["unknown where it is farther away", "BTC", 5.1, undefined],
    ["the next one after a gap", "BTC", 7.5, "900"],
    ["the first one of a coin that was not held before", "NEW", 0, "2"],
    ["the last one of a coin that is not held any more", "NEW", 3, "2"],
    ["unknown of a coin that was never held", "ETH", 1, undefined],
    ["one for USDT", "USDT", 5.1, "1"],
  ])("is %s", (_, coin, hours, price) => {
    expect(new Prices(history).at(coin, start + hours * hour)).toBe(price);
  });

  it("is the same for instants in any order", () => {
    const prices = new Prices(history);
    const all = [0, 0.4, 1, 2.6, 5, 6, 9];
    const found = (hours: readonly number[]) => hours.map((each) => prices.at("BTC", start + each * hour));
    const expected = ["100", "100", "200", "400", "400", undefined, "900"];
    expect(found(all)).toEqual(expected);
    expect(found(all.toReversed())).toEqual(expected.toReversed());
    expect(found([6, 0, 9, 1])).toEqual([undefined, "100", "900", "200"]);
  });
});

describe("transfers between wallets of one account", () => {
  const entry = (minutes: number, wallet: string, amount: string | null, more: Partial<LedgerEntry> = {}) => ({
    ...{ account: "main", wallet, coin: "USDT", at: start + minutes * minute, kind: "transfer" },
    ...{ amount, fee: null, change: amount, ...more },
  });
  const out = entry(0, "spot", "-5.0");

  it.each<[string, LedgerEntry[], number]>([
    ["cancel", [out, entry(0.5, "umcbl", "5")], 0],
    ["cancel in any order", [entry(0, "umcbl", "5"), entry(1, "spot", "-5")], 0],
    ["cancel once each", [out, entry(0, "umcbl", "5"), entry(0.1, "umcbl", "5"), entry(0.2, "spot", "-5")], 0],
    ["stay without the other entry", [out, entry(0, "umcbl", "5"), entry(0.1, "umcbl", "5")], 1],
    ["stay if the other entry is much later", [out, entry(1.1, "umcbl", "5")], 2],
    ["stay if the amounts differ", [out, entry(0, "umcbl", "4.9")], 2],
    ["stay if an amount is unknown", [out, entry(0, "umcbl", null)], 2],
    ["stay within one wallet", [out, entry(0, "spot", "5")], 2],
    ["cancel between parts of a unified wallet", [entry(0, "unified", "-5"), entry(0, "unified", "5")], 0],
    [
      "cancel once each, whichever of them belong together",
      [entry(0, "unified", "5"), entry(0.1, "unified", "-5"), entry(0.2, "funding", "5")],
      1,
    ],
    ["stay if the coins differ", [out, entry(0, "umcbl", "5", { coin: "BTC" })], 2],
    ["stay if the accounts differ", [out, entry(0, "umcbl", "5", { account: "hedge" })], 2],
    ["stay if one of them is something else", [out, entry(0, "umcbl", "5", { kind: "trade" })], 2],
    ["stay if their wallet has no balances here", [out, entry(0, "margin-crossed", "5")], 1],
  ])("%s", (_, entries, left) => {
    const found = [...withoutInternal(entries)];
    expect(found).toHaveLength(left);
    expect(found.map(({ at }) => at)).toEqual(found.map(({ at }) => at).sort((a, b) => a - b));
  });
});
