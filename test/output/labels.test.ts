import { expect, it } from "vitest";
import { walletLabel } from "../../src/output/labels.ts";

it.each([
  ["umcbl", "USDT-M"],
  ["margin-crossed", "Cross margin"],
  ["margin-isolated", "Isolated margin"],
  ["margin-isolated/BTCUSDT", "Isolated margin, BTCUSDT"],
  ["a-new-wallet", "a-new-wallet"],
])("calls the wallet %s %s", (wallet, label) => {
  expect(walletLabel(wallet)).toBe(label);
});
