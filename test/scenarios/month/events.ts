/** Names the events of a month, from the exchange's record and, for liquidations, from the simulated accounts. */
import { simulateAccount } from "../../../src/simulator/account/simulate-account.ts";
import { walletsOf } from "../../../src/simulator/account/wallet.ts";
import { createMarket } from "../../../src/simulator/market/market.ts";
import type { TrueRow } from "../../../src/simulator/simulator.ts";
import { keyOf, productTypes } from "../../support/declared.ts";
import { calendar } from "./calendar.ts";
import { units } from "./exact.ts";
import { accounts } from "./failures.ts";
import { knownAt } from "./history.ts";
import { runsOf, series } from "./runs.ts";
import { minute, type SimulatedMonth } from "./simulate.ts";
import { iso, type TrueSnapshot, type Truth } from "./truth.ts";

export const everything = [
  ...["opened", "grown", "partly closed", "closed", "flipped", "reopened", "hedge pair", "liquidated"],
  ...["crossed", "isolated", "no liquidation price", "nothing open", "carried over the upgrade"],
  ...["left behind by the upgrade", "coin comes", "coin goes", "coin comes back", "wallet of another API version"],
  ...["value of a part only", "price unknown", "close of a part only", "close unknown"],
  "coin in futures alone",
  ...["ok", "late", "partial", "failed", "asleep or clock set forward", "blocked", "not running"],
];

export function eventsOf(month: SimulatedMonth, truth: Truth): string[] {
  const seen = new Set<string>();
  for (const account of accounts) {
    for (const scope of productTypes) followPositions(truth.of(account, "positions", scope), month.upgraded, seen);
    followCoins(truth.of(account, "spot-assets", null), seen);
    if (truth.of(account, "mix-accounts", "unified").length > 0) seen.add("wallet of another API version");
    if (truth.of(account, "equity", null).some(({ rows }) => rows[0]?.complete === 0)) seen.add("value of a part only");
    if (
      truth.of(account, "positions", "sumcbl").at(-1)?.rows.length &&
      truth.retiredAt(account, "positions", "sumcbl") < Infinity
    )
      seen.add("left behind by the upgrade");
    followLiquidations(account, month, truth, seen);
  }
  for (const { rows, slot } of truth.of("public", "prices", null)) {
    const inWallets = accounts.flatMap((account) =>
      (["spot-assets", "funding-assets"] as const).flatMap((dataset) => {
        const last = truth.of(account, dataset, null).findLast((one) => one.slot <= slot);
        return last?.rows.map(({ coin }) => coin) ?? [];
      }),
    );
    if (rows.some(({ price }) => price === null)) seen.add("price unknown");
    if (rows.some(({ coin = null }) => !inWallets.includes(coin))) seen.add("coin in futures alone");
  }
  for (const { to } of ["America/New_York", "UTC"].flatMap((zone) => calendar(zone, "day", month.began, month.ended))) {
    const { scopes, rows } = knownAt(truth, "equity", to - 1);
    if (scopes.some(({ known }) => !known)) seen.add("close unknown");
    if (rows.some(({ complete }) => complete === 0)) seen.add("close of a part only");
  }
  for (const { account, dataset } of series) {
    for (const { state, cause } of runsOf(month, account, dataset))
      seen.add(state === "missed" ? String(cause) : state);
  }
  if (month.slots.some(({ lateMs }) => lateMs > 1000)) seen.add("late");
  return [...seen].sort();
}

function followPositions(snapshots: readonly TrueSnapshot[], upgraded: number, seen: Set<string>): void {
  let before = new Map<string, TrueRow>();
  for (const { dataset, rows, takenAt } of snapshots) {
    const open = new Map(rows.map((row) => [keyOf(dataset, row), row]));
    if (rows.length === 0) seen.add("nothing open");
    for (const [key, row] of open) {
      const known = before.get(key);
      seen.add(String(row.margin_mode));
      if (units(String(row.liquidation_price)) <= 0n) seen.add("no liquidation price");
      const other = row.hold_side === "long" ? "short" : "long";
      const isOpposite = (one: TrueRow) => one.symbol === row.symbol && one.hold_side === other;
      if (rows.some(isOpposite)) seen.add("hedge pair");
      if (!known) {
        const was = [...before].find(([, one]) => isOpposite(one));
        seen.add(was && !open.has(was[0]) ? "flipped" : "opened");
      } else if (known.opened_at !== row.opened_at) seen.add("reopened");
      else {
        const growth = units(String(row.total)) - units(String(known.total));
        if (growth > 0n) seen.add("grown");
        if (growth < 0n) seen.add("partly closed");
        if (takenAt > upgraded && Date.parse(String(known.taken_at)) < upgraded && row.open_fee_total !== null)
          seen.add("carried over the upgrade");
      }
    }
    for (const key of before.keys()) if (!open.has(key)) seen.add("closed");
    before = open;
  }
}

function followCoins(snapshots: readonly TrueSnapshot[], seen: Set<string>): void {
  const ever = new Set<string>();
  let before: Set<string> | null = null;
  for (const { rows } of snapshots) {
    const held = new Set(
      rows.filter((row) => row.available !== "0" || row.frozen !== "0").map(({ coin }) => String(coin)),
    );
    for (const coin of held) {
      if (before && !before.has(coin)) seen.add(ever.has(coin) ? "coin comes back" : "coin comes");
      ever.add(coin);
    }
    for (const coin of before ?? []) if (!held.has(coin)) seen.add("coin goes");
    before = held;
  }
}

/** Finds isolated positions whose margin was used up at one of the exchange's quarter-hourly checks, after a snapshot had shown them. */
function followLiquidations(
  account: string,
  { seed, began, ended }: SimulatedMonth,
  truth: Truth,
  seen: Set<string>,
): void {
  const market = createMarket(seed);
  const life = simulateAccount({ name: account, seed, from: began, market });
  for (let at = began; at < ended; at += 15 * minute) {
    const now = life(at - minute);
    for (const line of now.wallets.keys()) {
      for (const { positions } of walletsOf(now, line, market, at)) {
        for (const { position, margin, profit, maintenance } of positions) {
          if (position.mode !== "isolated" || margin + profit > maintenance) continue;
          const isIt = (row: TrueRow) => row.opened_at === iso(position.openedAt) && row.hold_side === position.side;
          if (truth.of(account, "positions", line).some(({ rows }) => rows.some(isIt))) seen.add("liquidated");
        }
      }
    }
  }
}
