/** Chains the entries of one account in the order of the exchange: by time, then by id. */
import type { Listed } from "../list-faults.ts";
import { type Amount, total } from "../market/amount.ts";
import { hash } from "../market/random.ts";
import { type Entry, isUnified, type Mode, type WalletName } from "./entry.ts";
import { snowflake } from "./snowflake.ts";

/** An entry as a row of a ledger, listed when it was written, which is in its id. */
export interface Posted extends Listed {
  entry: Entry;
  /** The balance of the coin after the row. */
  balance: Amount;
}

/** The wallets of a mode that have a ledger; a unified account has one for spot and all live futures. */
export type LedgerWallet = WalletName | "unified";

interface Chain {
  opening: Amount;
  rows: Posted[];
}

const fundingLagMs = { classic: 8_000, unified: 1_472 };

export class Ledger {
  readonly #mode: Mode;
  readonly #openings: ReadonlyMap<string, Amount>;
  readonly #chains = new Map<string, Chain>();
  readonly #wallets = new Map<LedgerWallet, Posted[]>();

  /** `openings` has the balances before the first entry, by wallet and coin: `spot USDT`. */
  constructor(mode: Mode, openings: ReadonlyMap<string, Amount>) {
    this.#mode = mode;
    this.#openings = openings;
  }

  /** Returns the rows of a wallet, oldest first, those that are not yet visible included. */
  rows(wallet: LedgerWallet): readonly Posted[] {
    return this.#wallets.get(wallet) ?? [];
  }

  /** Returns the rows of all wallets with the wallet of each, those of one wallet oldest first. */
  all(): [LedgerWallet, Posted][] {
    return [...this.#wallets].flatMap(([wallet, rows]) => rows.map((row): [LedgerWallet, Posted] => [wallet, row]));
  }

  add(entry: Entry): void {
    if (entry.only && entry.only !== this.#mode) return;
    const wallet = this.#walletOf(entry);
    if (!wallet) return;
    const posted = this.#post(entry);
    const chain = this.#chain(wallet, entry.coin);
    let index = insert(chain.rows, posted);
    let balance = chain.rows[index - 1]?.balance ?? chain.opening;
    for (; index < chain.rows.length; index++) {
      const row = chain.rows[index] as Posted;
      balance += row.entry.change;
      row.balance = balance;
    }
    const rows = this.#wallets.get(wallet) ?? [];
    this.#wallets.set(wallet, rows);
    insert(rows, posted);
  }

  /** Removes the rows before a time. */
  forget(before: number): void {
    for (const chain of this.#chains.values()) {
      chain.opening = removeBefore(chain.rows, before).at(-1)?.balance ?? chain.opening;
    }
    for (const rows of this.#wallets.values()) removeBefore(rows, before);
  }

  #walletOf({ wallet }: Entry): LedgerWallet | null {
    if (this.#mode === "classic" || wallet === "funding") return wallet;
    return isUnified(wallet) ? "unified" : null;
  }

  #chain(wallet: LedgerWallet, coin: string): Chain {
    const key = `${wallet} ${coin}`;
    const known = this.#chains.get(key);
    if (known) return known;
    const openings = [...this.#openings].filter(([name]) => {
      const [held, of] = name.split(" ") as [WalletName, string];
      return of === coin && (wallet === "unified" ? isUnified(held) : held === wallet);
    });
    const chain: Chain = { opening: total(openings.map(([, amount]) => amount)), rows: [] };
    this.#chains.set(key, chain);
    return chain;
  }

  #post(entry: Entry): Posted {
    const at = (this.#mode === "classic" ? entry.classicAt : undefined) ?? entry.at;
    const visibleAt = at + this.#lag(entry);
    return { entry, id: snowflake(visibleAt, entry.serial), at, visibleAt, balance: 0n };
  }

  /** Returns how much later than its time a row is written. Milliseconds. */
  #lag({ wallet, kind, at }: Entry): number {
    const chance = hash(Math.floor(at / 1000), at % 1000, 0, 12);
    if (this.#mode === "classic") return wallet === "spot" ? 8 + (chance % 167) : 0;
    if (wallet === "funding") return 22 + (chance % 7);
    return kind === "settle" ? fundingLagMs.unified : 0;
  }
}

/** Returns the time of a funding payment in the ledger of a classic account: 8 to 15 seconds after the hour. Epoch ms. */
export const classicFundingAt = (hour: number, chance: number): number => hour + fundingLagMs.classic + (chance % 7000);

/** Inserts a row in its place, mostly the last one; returns its index. */
function insert(rows: Posted[], row: Posted): number {
  let index = rows.length;
  while (index > 0 && isLater(rows[index - 1] as Posted, row)) index -= 1;
  rows.splice(index, 0, row);
  return index;
}

const isLater = (one: Posted, other: Posted): boolean =>
  (one.at - other.at || one.visibleAt - other.visibleAt || one.entry.serial - other.entry.serial) > 0;

/** Removes the first items, up to one that is not before a time; returns them. */
export function removeBefore<Item extends { at: number }>(items: Item[], before: number): Item[] {
  const kept = items.findIndex(({ at }) => at >= before);
  return items.splice(0, kept < 0 ? items.length : kept);
}
