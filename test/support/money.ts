/** The money of an account of the simulated exchange, of which a test chooses what is paid and won. */
import { add } from "../../src/core/decimal.ts";
import { hourMs } from "../../src/core/time.ts";
import type { World } from "./world.ts";

/** The money of an account, all of it in its USDT futures. */
export class Money {
  balance = "0";
  /** Whether the exchange answers for its equity, and for the entries of its spot wallet. */
  isReadable = true;
  areBillsReadable = true;
  readonly #world: World;
  readonly #account: string;
  #bills = 0;

  constructor(world: World, account: string) {
    this.#world = world;
    this.#account = account;
    const refused = { code: "40014", msg: "Incorrect permissions", data: null };
    const busy = { code: "40015", msg: "System is abnormal, please try again later", data: null };
    this.#serve("/api/v2/spot/account/bills", () => (this.areBillsReadable ? { data: [] } : busy));
    this.#serve("/api/v2/mix/account/accounts", (rows) => ({
      data: rows.map((row) => ({
        ...row,
        ...(row.marginCoin === "USDT" && { available: this.balance, accountEquity: this.balance }),
      })),
    }));
    this.#serve("/api/v2/account/all-account-balance", (rows) => {
      if (!this.isReadable) return refused;
      return { data: rows.map((row) => ({ ...row, usdtBalance: row.accountType === "futures" ? this.balance : "0" })) };
    });
  }

  #serve(path: string, edit: (rows: Record<string, unknown>[]) => object): void {
    this.#world.exchange.injectFault({
      ...{ path, account: this.#account, times: Number.POSITIVE_INFINITY },
      edit: (envelope) => ({
        ...(envelope as object),
        ...edit((envelope as { data: Record<string, unknown>[] }).data),
      }),
    });
  }

  /** Lets money come in or leave, then lets something be won or lost. */
  live(at: number, paid: string, won: string): void {
    this.pay(at, paid);
    this.win(at + hourMs, won);
  }

  /** Lets money come in, or leave if it is negative. Epoch ms. */
  pay(at: number, amount: string): void {
    this.#book(at, amount, amount.startsWith("-") ? "trans_to_strategy" : "trans_from_strategy");
  }

  /** Lets something be won, or lost if it is negative. Epoch ms. */
  win(at: number, amount: string): void {
    this.#book(at, amount, "close_long");
  }

  #book(at: number, amount: string, businessType: string): void {
    this.balance = add(this.balance, amount);
    this.#bills += 1;
    const billId = String((BigInt(at) << 22n) + BigInt(this.#bills));
    const more = { symbol: "", coin: "USDT", fee: "0", balance: this.balance };
    const row = { billId, cTime: String(at), businessType, amount, ...more };
    this.#world.exchange.bills.push({ account: this.#account, category: "USDT-FUTURES", row });
  }
}
