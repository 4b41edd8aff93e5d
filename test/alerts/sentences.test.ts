/** Sentences of alerts have figures as pages show them; the value beside them is exact. */
import { expect, it } from "vitest";
import { measureDrawdown, measureHeight } from "../../src/alerts/measurements/drawdown.ts";
import { measureFuturesAccounts, measurePositions } from "../../src/alerts/measurements/limits.ts";
import { closingOf, sentenceOf, shownSentence } from "../../src/alerts/messages.ts";
import type { AlertSettings } from "../../src/settings/sections/alerts.ts";

const snapshot = { id: 1, account: "main", dataset: "equity", scopeId: 1, takenAt: 0, errorCode: null } as const;

it("cuts amounts, and shares towards the danger", () => {
  const equity = { value: "35729.49112233", unpriced: [], amounts: {} };
  const limit = { drawdown: "0.1", drawdownHours: 24 };
  const fallen = measureDrawdown({ ...snapshot, productType: null }, equity, "40000.009", limit);
  expect(fallen.value).toBe("0.1067629229200923");
  expect(sentenceOf("fired", fallen)).toBe(
    "Alert: main: equity of 35,729.49 USDT is 10.7 % below its 1-day high of 40,000.00 USDT (deposits and withdrawals are not taken out); the limit is 10 %.",
  );
  const height = { at: 0, equity: "880", growth: "1.1", peak: "1.25", unknown: null, isPart: true };
  expect(sentenceOf("fired", measureHeight({ ...snapshot, productType: null }, height, limit))).toBe(
    "Alert: main: equity of 880.00 USDT in the wallets with a ledger is 12.0 % below its 1-day high of 1,000.00 USDT (deposits and withdrawals are taken out); the limit is 10 %.",
  );
  const held = { symbol: "SOLUSDT", hold_side: "short", margin_mode: "isolated", margin_coin: "USDT" };
  const prices = { liquidation_price: "148.55999", mark_price: "144.123" };
  const futures = { ...snapshot, dataset: "positions", productType: "umcbl" } as const;
  const settings: AlertSettings = {
    ...{ liquidationDistance: "0.05", marginRatio: "0.8", drawdown: null, drawdownHours: 24 },
    ...{ stale: false, keyRefused: false, ledgerBreak: false, webhook: null },
  };
  const [near] = measurePositions(futures, [{ ...held, ...prices }], settings);
  expect(near && sentenceOf("fired", near)).toBe(
    "Alert: main: SOLUSDT short (isolated, USDT, umcbl) is 3.07 % from its liquidation at 148.559 (mark 144.123); the limit is 5 %.",
  );
  const account = { margin_coin: "BTC", cross_risk_rate: "0.80123" };
  const [high] = measureFuturesAccounts(futures, [account], settings);
  expect(high && sentenceOf("fired", high)).toContain("has a margin ratio of 80.2 %, and is liquidated at 100 %");
});

it("has times to the second in UTC, which pages and tables show in their own zone, also those of earlier versions", () => {
  const alert = { name: "one", kind: "stale", account: "main", subject: "equity", what: "equity", scopeId: null };
  const sentence = closingOf({ ...alert, firedAt: Date.parse("2026-11-22T23:05:00.987Z") });
  expect(sentence).toBe("Closed: main: equity is no longer listed; its alert of 2026-11-22 23:05:00 UTC is closed.");
  const shown = "Closed: main: equity is no longer listed; its alert of 2026-11-23 00:05:00 Europe/Berlin is closed.";
  for (const time of ["2026-11-22 23:05:00 UTC", "2026-11-22T23:05:00.987Z", "2026-11-22T23:05:00Z"]) {
    const stored = sentence.replace("2026-11-22 23:05:00 UTC", time);
    expect(shownSentence({ ...alert, sentence: stored }, "Europe/Berlin")).toBe(shown);
  }
  expect(shownSentence({ ...alert, sentence }, "UTC")).toBe(sentence);
});
