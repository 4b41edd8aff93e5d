/** Defines the table of balances: every coin of every wallet. */
import { compare, multiply, subtract } from "../../core/decimal.ts";
import type { DecimalString } from "../../core/domain.ts";
import { instantText } from "../../queries/close.ts";
import { type Balance, createWallets, type Wallet } from "../../queries/wallets.ts";
import { createPrices } from "../../reports/balances.ts";
import { comparisonPeriods } from "./comparison-periods.ts";
import { amount, change, type DataTable, instant, price, text } from "./table.ts";

export const balances: DataTable = {
  name: "balances",
  summary: "the balance of every coin in every wallet, its value in USDT, and its change since the previous close",
  columns: [
    text("account", "Account"),
    text("wallet", "Wallet"),
    text("coin", "Coin"),
    amount("total", "Total", "coin"),
    amount("available", "Available", "coin"),
    amount("frozen", "Frozen (orders)", "coin"),
    amount("locked", "Locked", "coin"),
    price("usdt_price", "Price, USDT"),
    amount("usdt_value", "Value, USDT"),
    change("change", "Today", "coin"),
    instant("taken_at", "Updated"),
  ],
  *rows(view) {
    const { shown, yesterday, source } = comparisonPeriods(view);
    const walletsAt = createWallets(source);
    const before = yield* walletsAt(yesterday);
    const after = yield* walletsAt(shown);
    const pricesNow = yield* createPrices(source)(shown);
    for (const wallet of after) {
      const { account, wallet: name, isMoney, takenAt, known } = wallet;
      const head = { account, wallet: name, taken_at: instantText(takenAt) };
      if (!known) yield head;
      const was = before.find((one) => one.account === account && one.wallet === name);
      const rows = wallet.balances.map((balance) => {
        const { coin, available, frozen, locked, total } = balance;
        const known = (isMoney && pricesNow.get(coin)) || null;
        const value = total !== null && known !== null ? multiply(total, known) : null;
        const difference = changeSince(balance, was);
        return {
          ...head,
          coin,
          available,
          frozen,
          locked,
          total,
          usdt_price: known,
          usdt_value: value,
          change: difference,
        };
      });
      yield* rows.sort((a, b) => compare(b.usdt_value ?? "-1", a.usdt_value ?? "-1"));
    }
  },
};

/** Returns the change of a balance; null if either balance is unknown. A coin that a known wallet does not list counts as 0. */
function changeSince({ coin, total }: Balance, previous: Wallet | undefined): DecimalString | null {
  if (!previous?.known || total === null) return null;
  const held = previous.balances.find((one) => one.coin === coin);
  const before = held ? held.total : "0";
  return before === null ? null : subtract(total, before);
}
