/** The ledgers of simulated accounts agree with their balances, and are listed like those of the exchange. */
import { describe, expect, it } from "vitest";
import type { AccountState } from "../../src/simulator/account/account-state.ts";
import { type Life, simulateAccount } from "../../src/simulator/account/simulate-account.ts";
import { isUnified, type Mode, type WalletName } from "../../src/simulator/ledger/entry.ts";
import type { LedgerWallet, Posted } from "../../src/simulator/ledger/ledger.ts";
import { createMarket } from "../../src/simulator/market/market.ts";
import { random } from "../../src/simulator/market/random.ts";
import { noon } from "./support.ts";

const day = 86_400_000;
const hour = day / 24;
const from = noon - 30 * day;

const lifeOf = (options: Partial<Life> = {}) =>
  simulateAccount({ name: "main", seed: 1, from, market: createMarket(options.seed ?? 1), ...options });

/** The balances of an account by wallet and coin, as its wallets are divided in a mode. */
function balancesOf(state: AccountState, mode: Mode, instant: number): Map<string, bigint> {
  const balances = new Map<string, bigint>();
  const nameOf = (wallet: WalletName) => (mode === "unified" && isUnified(wallet) ? "unified" : wallet);
  const add = (wallet: LedgerWallet, coin: string, by: bigint) =>
    balances.set(`${wallet} ${coin}`, (balances.get(`${wallet} ${coin}`) ?? 0n) + by);
  for (const [coin, { available, frozen, locked }] of state.spot)
    add(nameOf("spot"), coin, available + frozen + locked);
  for (const [coin, held] of state.funding) add("funding", coin, held);
  for (const [code, coins] of state.wallets) for (const [coin, held] of coins) add(nameOf(code), coin, held);
  const passing = mode === "unified" ? state.passing.filter(({ until }) => until > instant) : [];
  for (const { coin, amount } of passing) {
    add("funding", coin, amount);
    add("unified", coin, -amount);
  }
  return balances;
}

describe.each([
  { title: "an account that trades", options: {} },
  { title: "an account that moves money", options: { seed: 2, hasCashFlows: true } },
  { title: "a busy account with long balances", options: { seed: 3, hasCashFlows: true, activity: 8, places: 16 } },
])("$title", ({ options }) => {
  it.each(["classic", "unified"] as const)("has every change of a %s balance in its ledger, exactly", (mode) => {
    const dice = random(9);
    const state = lifeOf(options);
    const looks = Array.from({ length: 300 }, () => from + dice.integer(0, 29 * day)).sort((a, b) => a - b);
    const seen = looks.map((instant) => [instant, balancesOf(state(instant), mode, instant)] as const);
    const rows = state(noon).book.ledger(mode).all();
    const chains = new Map<string, Posted[]>();
    for (const [wallet, row] of rows) {
      const name = `${wallet} ${row.entry.coin}`;
      const chain = chains.get(name);
      if (chain) chain.push(row);
      else chains.set(name, [row]);
    }

    const broken: string[] = [];
    for (const [name, chain] of chains) {
      const [first] = chain;
      let balance = first ? first.balance - first.entry.change : 0n;
      for (const row of chain) {
        balance += row.entry.change;
        if (balance !== row.balance) broken.push(`${name} ${row.id}`);
      }
      const opening = first ? first.balance - first.entry.change : 0n;
      for (const [instant, balances] of seen) {
        // A classic account gets funding some seconds before the ledger has it.
        if (mode === "classic" && instant % (8 * hour) < 15_000) continue;
        const known = chain.findLast(({ at }) => at <= instant)?.balance ?? opening;
        if (known !== (balances.get(name) ?? 0n)) broken.push(`${name} at ${new Date(instant).toISOString()}`);
      }
    }
    expect(broken).toEqual([]);
    expect(rows.length).toBeGreaterThan(1_000);
  });
});

it("fills, closed and open positions add up to the entries of their wallet", () => {
  const { book, positions } = lifeOf({ seed: 3, hasCashFlows: true, activity: 4, places: 16 })(noon);
  const entries = book.ledger("classic").all();
  const all = [...book.closed.map(({ position }) => position), ...positions];
  const sum = <Item>(items: readonly Item[], of: (item: Item) => bigint) =>
    items.reduce((total, item) => total + of(item), 0n);

  for (const wallet of ["umcbl", "dmcbl", "cmcbl", "sumcbl"] as const) {
    const own = entries.filter(([name]) => name === wallet).map(([, { entry }]) => entry);
    const of = (...kinds: string[]) => own.filter(({ kind }) => kinds.includes(kind));
    const trades = of("open", "close", "force", "burst", "adl", "delivery");
    const lived = all.filter(({ productType }) => productType === wallet);
    const fills = book.fills.filter((fill) => fill.wallet === wallet);

    expect(fills.length).toBe(trades.length);
    expect(sum(fills, ({ fee }) => fee)).toBe(sum(trades, ({ fee }) => fee));
    expect(sum(fills, ({ profit }) => profit ?? 0n)).toBe(sum(trades, ({ amount }) => amount));
    expect(sum(lived, ({ booked }) => booked.openFees + booked.closeFees)).toBe(sum(trades, ({ fee }) => fee));
    const results = [...trades, ...of("insurance")];
    expect(sum(lived, ({ booked }) => booked.profit)).toBe(sum(results, ({ amount }) => amount));
    expect(sum(lived, ({ funding }) => funding ?? 0n)).toBe(sum(of("settle"), ({ amount }) => amount));
  }
  for (const { position, closePrice } of book.closed) {
    expect(position.booked.closed).toBe(position.booked.opened);
    expect(closePrice).toBeGreaterThan(0n);
  }
});

it("a month of an account that moves money has every kind of entry, payment and transfer", () => {
  const kinds = new Set<string>();
  for (const name of ["main", "hedge", "third"]) {
    for (const mode of ["classic", "unified"] as const) {
      const { book } = lifeOf({ name, hasCashFlows: true })(noon);
      for (const [, { entry }] of book.ledger(mode).all()) kinds.add(entry.kind);
      for (const { type, outcome } of book.payments) kinds.add(`${type} ${outcome}`);
      for (const { from: source, to } of book.transfers) kinds.add(`${source} to ${to}`);
      if (book.fills.some(({ isDeduction }) => isDeduction)) kinds.add("fill paid in BGB");
    }
  }

  expect([...kinds].sort()).toEqual(
    [
      ...["buy", "sell", "feeInBgb", "convert", "deposit", "withdrawal", "pulled", "reward", "unknown"],
      ...["transfer", "fundingTransfer", "exchangeTransfer", "strategyTransfer", "margin", "settle"],
      ...["open", "close", "force", "burst", "adl", "delivery", "insurance"],
      ...["deposit success", "withdraw success", "withdraw fail", "fill paid in BGB"],
      ...["spot to funding", "funding to spot", "spot to umcbl", "umcbl to spot"],
    ].sort(),
  );
});

it("a year takes the memory of ninety days", () => {
  const stateAt = lifeOf({ from: noon - 365 * day });
  const early = stateAt(noon - 365 * day + 100 * day).book;
  const size = ({ fills, closed }: typeof early) => fills.length + closed.length;
  const before = [early.ledger("classic").all().length, size(early)];
  const { book } = stateAt(noon);
  const after = [book.ledger("classic").all().length, size(book)];

  for (const [index, count] of after.entries()) expect(count).toBeLessThan((before[index] ?? 0) * 1.5);
  const [, first] = book.ledger("unified").all()[0] ?? [];
  expect(first?.at).toBeGreaterThan(noon - 97 * day);
});
