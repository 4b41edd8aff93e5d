/** Performs a planned action on the state of an account. */
import type { AccountState } from "../account/account-state.ts";
import { withdrawOf } from "../account/cash-flows.ts";
import { closePosition, enterSize } from "../account/futures.ts";
import { change } from "../account/spot.ts";
import { bookDeposit } from "../ledger/payments.ts";
import { amount } from "../market/amount.ts";
import { futuresProducts } from "../market/futures-products.ts";
import type { Market } from "../market/market.ts";
import type { Action } from "./plan.ts";

const productType = "umcbl";

/** @throws Error for a contract that does not exist, and for a position that is not open */
export function perform(action: Action, state: AccountState, market: Market, at: number): void {
  if (action.kind === "deposit") {
    bookDeposit(state, "USDT", change(state, "USDT", amount(action.amount), at), at);
  } else if (action.kind === "withdraw") {
    withdrawOf(state, { coin: "USDT", size: amount(action.amount), at });
  } else if (action.kind === "open") {
    const { symbol, side } = action;
    const contract = futuresProducts
      .find(({ code }) => code === productType)
      ?.contracts.find((one) => one.symbol === symbol);
    if (!contract) throw new Error(`the simulated exchange has no ${symbol}`);
    const { mode, leverage, size } = action;
    enterSize(state, { productType, contract, side, mode, leverage: BigInt(leverage), market, at }, amount(size));
  } else {
    const { symbol, side } = action;
    const open = state.positions.find((one) => one.contract.symbol === symbol && one.side === side);
    if (!open) throw new Error(`no open position: ${symbol} ${side}`);
    closePosition(state, open, market, at);
  }
}
