/** The class of bills, as the view computes it from the exchange's texts in their various spellings. */
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { kindSql } from "../../src/datasets/ledger/kinds.ts";

const classify = new Database(":memory:")
  .prepare<[string, string | null], string>(`select ${kindSql("t", "g")} from (select ? as t, ? as g)`)
  .pluck();

it.each([
  ["trade", "ORDER_DEALT_IN", null],
  ["trade", "buy", "transaction"],
  ["trade", "open_long", null],
  ["trade", "MARIN_BUY_DEAL", null],
  ["trade", "some_new_trade", "transaction"],
  ["fee", "deduction of handling fee", "transaction"],
  ["fee", "ORDER_PLF_FEE_OUT", null],
  ["funding", "contract_settle_fee", null],
  ["funding", "CONTRACT_MAIN_SETTLE_FEE_USER_OUT", null],
  ["funding", "MARGIN_SETTLE_FEE_USER_IN", null],
  ["transfer", "transfer-in", "deposit"],
  ["transfer", "transfer_out", "transfer"],
  ["transfer", "trans_to_strategy", null],
  ["transfer", "", "withdraw"],
  ["deposit", "deposit", "deposit"],
  ["withdrawal", "withdraw", "withdraw"],
  ["interest", "settle_interest", null],
  ["interest", "INTEREST_SETTLEMENT_OUT", null],
  ["borrow", "BORROW", null],
  ["repay", "Repay", null],
  ["liquidation", "risk_captital_user_transfer", null],
  ["liquidation", "BURST_CLOSE_LONG", null],
  ["liquidation", "FIXED_ADL_CLOSE_LONG", null],
  ["reward", "AIRDROP_REWARDS", null],
  ["reward", "cash_gift_issue", null],
  ["conversion", "user_exchange_buy", null],
  ["conversion", "EXCHANGE_SOURCE_TOKEN_USER_OUT", null],
  ["margin", "append_margin", null],
  ["margin", "FIXED_ORDER_PLACE_FROZEN", null],
  ["other", "moon_dividend", null],
  ["other", "", null],
])("%s: %j in group %j", (kind, type, group) => {
  expect(classify.get(type, group)).toBe(kind);
});
