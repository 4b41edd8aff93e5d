/**
 * Computes what the database must contain from the exchange's own record and the known events. Only the ids and times of
 * snapshots are read from the database, to distinguish the stored responses from those that were requested again.
 */
import type Database from "better-sqlite3";
import type { DatasetName, Scope } from "../../../src/core/domain.ts";
import { snapshotDatasetNamed } from "../../../src/datasets/index.ts";
import type { TrueRow } from "../../../src/simulator/simulator.ts";
import { asViewed, keyOf, keysOf, scopesOf, snapshotNames } from "../../support/declared.ts";
import { digitsOf, times, total, units } from "./exact.ts";
import { accounts } from "./failures.ts";
import { apiAt, type SimulatedMonth } from "./simulate.ts";

/** A good snapshot. `rows` are those of the history view, in the order sent. */
export interface TrueSnapshot {
  id: number;
  slot: number;
  account: string;
  dataset: DatasetName;
  scope: Scope;
  takenAt: number;
  rows: readonly TrueRow[];
}

export const iso = (instant: number): string => new Date(instant).toISOString();

interface Stored {
  id: number;
  account: string;
  dataset: DatasetName;
  scope: Scope;
  takenAt: number;
  slot: number;
}

export interface Truth {
  /** All good snapshots by id. */
  snapshots: readonly TrueSnapshot[];
  /** Of one scope. */
  of(account: string, dataset: DatasetName, scope: Scope): readonly TrueSnapshot[];
  /** Every scope with a response. */
  scopes: readonly { account: string; dataset: DatasetName; scope: Scope }[];
  /** Returns the time of the first complete run without a request for this scope, epoch ms; infinity where there is none. */
  retiredAt(account: string, dataset: DatasetName, scope: Scope): number;
}

export function truthOf(month: SimulatedMonth, database: Database.Database): Truth {
  const sentRows = new Map(
    month.record.map((one) => [[one.dataset, one.account, one.scope, one.takenAt].join(), one.rows] as const),
  );
  const bySeries = new Map<string, TrueSnapshot[]>();
  const of = (account: string, dataset: DatasetName, scope: Scope) =>
    bySeries.get([account, dataset, scope].join()) ?? [];
  const snapshots: TrueSnapshot[] = [];
  const stored = database
    .prepare(
      `select snapshot_id as id, s.account, s.dataset, product_type as scope, taken_at_ms as takenAt,
         scheduled_for_ms as slot
       from snapshots s join runs r using (run_id) where s.state = 'ok' order by snapshot_id`,
    )
    .all() as Stored[];
  const retiredAt = retirements(month, database);
  // Prices and equity depend on the other responses of the same slot.
  const order: readonly DatasetName[] = [...snapshotNames.filter((name) => name !== "equity"), "equity"];
  const inOrder = stored.sort((a, b) => a.slot - b.slot || order.indexOf(a.dataset) - order.indexOf(b.dataset));
  const lastOf = (account: string, dataset: DatasetName, scope: Scope) => of(account, dataset, scope).at(-1);
  for (const one of inOrder) {
    const { account, dataset, scope, takenAt, slot } = one;
    const sent = sentRows.get([dataset, account, scope, takenAt].join());
    if (!sent) throw new Error(`${account} ${dataset} ${scope} of ${iso(takenAt)} was never sent`);
    const rows =
      dataset === "prices"
        ? pricesOf(heldCoins(lastOf, retiredAt, slot), sent)
        : dataset === "equity"
          ? sent.map((row) =>
              equityOf(
                row,
                inSlot(lastOf(account, "funding-assets", null), slot),
                inSlot(lastOf("public", "prices", null), slot),
              ),
            )
          : [...sent, ...removalRows(dataset, lastOf(account, dataset, scope)?.rows ?? [], sent)];
    const snapshot = { ...one, rows: rows.map((row) => shown(row, one)) };
    const series = [account, dataset, scope].join();
    const known = bySeries.get(series) ?? [];
    known.push(snapshot);
    bySeries.set(series, known);
    snapshots.push(snapshot);
  }
  const scopes = [...bySeries.values()].flatMap(([first]) => (first ? [first] : []));
  return { snapshots: snapshots.sort((a, b) => a.id - b.id), of, scopes, retiredAt };
}

const inSlot = (last: TrueSnapshot | undefined, slot: number) => (last?.slot === slot ? last.rows : null);

function shown(row: TrueRow, { id, account, dataset, takenAt }: Stored): TrueRow {
  const viewed = { ...asViewed(dataset, row), taken_at: iso(takenAt), snapshot_id: id };
  return snapshotDatasetNamed(dataset).public ? viewed : { ...viewed, account };
}

/** Returns the final rows of removed coins: zeros, and null where a value was unknown. */
export function removalRows(dataset: DatasetName, before: readonly TrueRow[], now: readonly TrueRow[]): TrueRow[] {
  if (snapshotDatasetNamed(dataset).onRemoval === "end") return [];
  const held = new Set(now.map((row) => keyOf(dataset, row)));
  const kept = [...keysOf(dataset), "product_type"];
  return before
    .filter((row) => !held.has(keyOf(dataset, row)) && !isZeroRow(row))
    .map((row) =>
      Object.fromEntries(
        Object.entries(row)
          .filter(([name]) => !["account", "taken_at", "snapshot_id"].includes(name))
          .map(([name, value]) => [name, kept.includes(name) ? value : value && "0"]),
      ),
    );
}

/** Returns whether a row is the final row of a removed coin. The exchange itself lists no zero balances. */
export const isZeroRow = (row: TrueRow): boolean =>
  ["available", "frozen", "locked", "equity"].every((name) => !row[name] || row[name] === "0");

/** Returns the coins held by any account, from the last snapshot of every wallet. */
function heldCoins(
  lastOf: (account: string, dataset: DatasetName, scope: Scope) => TrueSnapshot | undefined,
  retiredAt: Truth["retiredAt"],
  slot: number,
): string[] {
  const coins = new Set<string>();
  for (const account of accounts) {
    for (const dataset of ["spot-assets", "funding-assets", "mix-accounts"] as const) {
      for (const scope of [null, "umcbl", "dmcbl", "cmcbl", "unified"] as const) {
        if (retiredAt(account, dataset, scope) < slot + 60_000) continue;
        for (const row of lastOf(account, dataset, scope)?.rows ?? []) {
          if (!isZeroRow(row) && hasSomething(row)) coins.add(String(row.coin ?? row.margin_coin));
        }
      }
    }
  }
  coins.delete("USDT");
  return [...coins].sort();
}

const hasSomething = (row: TrueRow): boolean =>
  ["available", "frozen", "locked", "equity"].some((name) => units(String(row[name] ?? "0")) !== 0n);

/** Returns the expected price rows; a held coin without a USDT pair has a null price. */
const pricesOf = (coins: readonly string[], sent: readonly TrueRow[]): TrueRow[] =>
  coins.map((coin) => sent.find((row) => row.coin === coin) ?? { coin, quote: "USDT", price: null });

/** Returns the expected equity. API v2 sends it complete; for v3 the funding wallet is added at the prices of the same slot. */
function equityOf(sent: TrueRow, funding: readonly TrueRow[] | null, prices: readonly TrueRow[] | null): TrueRow {
  const all = { unpriced: null, missing: null };
  if (sent.unified_usdt === undefined)
    return { ...sent, unified_usdt: null, priced_usdt: sent.usdt_equity ?? null, ...all };
  const held = (funding ?? [])
    .map((row) => ({ coin: String(row.coin), amount: total([String(row.available), String(row.frozen)]) }))
    .filter(({ amount }) => amount !== 0n)
    .map((one) => ({
      ...one,
      price: one.coin === "USDT" ? "1" : prices?.find(({ coin }) => coin === one.coin)?.price,
    }));
  const worth = held.flatMap(({ amount, price }) => (typeof price === "string" ? [times(amount, units(price))] : []));
  const unpriced = held.filter(({ price }) => price === null).sort((a, b) => (a.coin < b.coin ? -1 : 1));
  const missing = funding === null ? "funding-assets" : held.some(({ price }) => price === undefined) ? "prices" : null;
  const other = funding && worth.length === held.length ? digitsOf(worth.reduce((a, b) => a + b, 0n)) : null;
  const unified = String(sent.unified_usdt);
  const priced = digitsOf(worth.reduce((a, b) => a + b, total([unified])));
  return {
    usdt_equity: other === null ? null : priced,
    spot_usdt: null,
    futures_usdt: null,
    other_usdt: other,
    complete: other === null ? 0 : 1,
    unified_usdt: unified,
    priced_usdt: priced,
    unpriced:
      unpriced.length === 0
        ? null
        : JSON.stringify(Object.fromEntries(unpriced.map(({ coin, amount }) => [coin, digitsOf(amount)]))),
    missing: missing && JSON.stringify([missing]),
  };
}

/** Finds the first slot in which every currently requested scope was read; only the database knows when that run ended. */
function retirements({ slots, upgraded }: SimulatedMonth, database: Database.Database): Truth["retiredAt"] {
  const finished = database
    .prepare("select finished_at from runs where account = ? and dataset = ? and scheduled_for = ?")
    .pluck();
  const known = new Map<string, number>();
  return (account, dataset, scope) => {
    const name = [account, dataset, scope].join();
    const found = known.get(name) ?? work();
    known.set(name, found);
    return found;

    function work(): number {
      if (account !== "main" || scopesOf(dataset, apiAt(account, upgraded)).includes(scope)) return Infinity;
      const first = slots.find(
        ({ slot, missed, mishaps }) =>
          slot > upgraded &&
          missed === null &&
          !mishaps.some((one) => one.account === account && one.dataset === dataset),
      );
      return first ? Date.parse(String(finished.get(account, dataset, iso(first.slot)))) : Infinity;
    }
  };
}
