/**
 * Classifies the types of bills. The exchange's texts differ in case and separators between its endpoints, and new ones appear without
 * notice, so the class is computed when a bill is read: a better classification applies to the whole history.
 *
 * Sources: the lists of business types in https://www.bitget.com/api-doc/spot/account/Get-Account-Bills,
 * https://www.bitget.com/api-doc/contract/account/Get-Account-Bill, https://www.bitget.com/api-doc/margin/cross/record/Get-Cross-Finflow
 * and https://www.bitget.com/api-doc/uta/account/Get-Financial-Records; types without documentation as recorded by clients.
 */

export const kinds = [
  "trade",
  "fee",
  "funding",
  "transfer",
  "deposit",
  "withdrawal",
  "interest",
  "borrow",
  "repay",
  "liquidation",
  "reward",
  "conversion",
  "margin",
  "other",
] as const;
export type Kind = (typeof kinds)[number];

/** Types in lower case with underscores; one that ends in `*` stands for all that begin so. Whole types go before beginnings. */
const types: readonly [Kind, string][] = [
  [
    "trade",
    `buy sell order_dealt_in order_dealt_frozen_out deal_in deal_out buy_deal sell_deal open_* close_* marin_buy_deal
     marin_sell_deal margin_open_* fixed_buy_deal fixed_sell_deal fixed_open_* fixed_close_* delivery_* fixed_delivery*`,
  ],
  ["fee", "deduction_handling_fee deduction_of_handling_fee order_plf_fee_out"],
  [
    "funding",
    `contract_settle_fee contract_main_settle_fee* contract_margin_settle_fee* margin_settle_fee_user_* rwa_contract_main_settle_fee*`,
  ],
  // Between wallets of the exchange, those without a ledger included: bots, earn, copy trading, payments.
  [
    "transfer",
    `transfer_* trans_from_* trans_to_* reserve_transfer_* withdraw_transfer_* financial_transfer_* on_chain_* mt5_* bgpay_*
     tracking_follow_* trace_lock_* trace_transfer_* user_grid_profit_in`,
  ],
  ["deposit", "deposit fiat_recharge_in inner_address_withdraw_in"],
  ["withdrawal", "withdraw withdrawal ordinary_withdrawal"],
  ["interest", "interest settle_interest interest_*"],
  ["borrow", "borrow"],
  ["repay", "repay repayment"],
  [
    "liquidation",
    `force_* burst_* adl_* offset_reduce_close_* fixed_force* fixed_burst* fixed_adl* fixed_offset* fixed_risk_liq* margin_offset_*
     risk_captital_user_transfer risk_liq_* liq_* liquidation_fee compensate confiscate*`,
  ],
  [
    "reward",
    `rebate_rewards airdrop_rewards usdt_contract_rewards mix_contract_rewards cash_gift_* bonus_* user_grants_* activity_*
     tracking_trader_income trace_share_benefit_* rwa_cash_dividend*`,
  ],
  [
    "conversion",
    `exchange_* sys_exchange_* order_exchange_* user_exchange_* small_exchange_* small_asset_* convert_* conversion_upon_delisting
     delist_*`,
  ],
  [
    "margin",
    `append_margin auto_append_margin adjust_down_lever_append_margin reduce_margin increase_margin margin_back margin_lever_*
     fixed_back fixed_increase_margin fixed_reduce_margin fixed_lever_* fixed_order_*`,
  ],
];

/** The class of a type that is in no list above, by its group. */
const groups: readonly [Kind, string][] = [
  ["deposit", "deposit"],
  ["withdrawal", "withdraw"],
  ["trade", "transaction"],
  ["transfer", "transfer strategy financial trace"],
  ["conversion", "convert"],
];

const words = (text: string): string[] => text.split(/\s+/);
const wholeTypes = types.map(([kind, all]) => [kind, words(all).filter((type) => !type.endsWith("*"))] as const);
const beginnings = types.flatMap(([kind, all]) =>
  words(all)
    .filter((type) => type.endsWith("*"))
    .map((type) => [kind, type.slice(0, -1)] as const),
);

/** Returns the SQL expression of the class of a bill, in SQLite and in PostgreSQL. `type` and `group` are expressions. */
export function kindSql(type: string, group: string): string {
  const plain = (text: string) => `lower(replace(replace(${text}, '-', '_'), ' ', '_'))`;
  const among = (all: readonly string[]) => `in (${all.map((one) => `'${one}'`).join(", ")})`;
  const cases = [
    ...wholeTypes.map(([kind, all]) => `when ${plain(type)} ${among(all)} then '${kind}'`),
    ...beginnings.map(([kind, start]) => `when substr(${plain(type)}, 1, ${start.length}) = '${start}' then '${kind}'`),
    // The wallet for withdrawals receives the amount under an empty type before it is sent.
    `when ${type} = '' and ${plain(group)} = 'withdraw' then 'transfer'`,
    ...groups.map(([kind, all]) => `when ${plain(group)} ${among(words(all))} then '${kind}'`),
  ];
  return `case ${cases.join("\n    ")} else 'other' end`;
}
