/** Compares every stored snapshot with what the exchange sent at that time. */
import type Database from "better-sqlite3";
import type { DatasetName, Scope } from "../../src/core/domain.ts";
import type { TrueRow } from "../../src/simulator/simulator.ts";
import { digitsOf, times, total, units } from "../scenarios/month/exact.ts";
import { iso, removalRows } from "../scenarios/month/truth.ts";
import { asViewed, keyOf, scopesOf, snapshotNames, viewOf } from "../support/declared.ts";
import type { Check, Stored } from "./checks.ts";

interface Snapshot {
  id: number;
  account: string;
  dataset: DatasetName;
  scope: Scope;
  takenAt: number;
  slot: number;
}

/** Good snapshots of one series, in order. */
type History = Map<string, { slot: number; rows: readonly TrueRow[] }[]>;

export function wrongRows(database: Database.Database, simulation: Stored): Check {
  const problems: string[] = [];
  const counts = { snapshots: 0, rows: 0, zeros: 0 };
  const history: History = new Map();
  for (const dataset of snapshotNames) {
    for (const { snapshot, stored } of snapshotsOf(database, dataset)) {
      const { account, scope, takenAt, slot } = snapshot;
      const series = [account, dataset, scope].join();
      const known = history.get(series) ?? [];
      history.set(series, known);
      const sent = simulation.served.rows(dataset, account, scope, takenAt)?.map((row) => asViewed(dataset, row));
      const rows = sent && expectedRows(snapshot, sent, stored, history);
      const problem = rows ? difference(dataset, stored, rows) : "was never sent";
      if (problem) problems.push(`${account} ${dataset} ${scope ?? ""} of ${iso(takenAt)} ${problem}`);
      known.push({ slot, rows: rows ?? [] });
      counts.snapshots += 1;
      counts.rows += stored.length;
      counts.zeros += (rows ?? []).flatMap((row) => Object.values(row)).filter((cell) => cell === "0").length;
    }
  }
  return {
    promise: "every snapshot is what the exchange sent; no zero that it did not send",
    problems: [...problems, ...wrongScopes(database, simulation)],
    extent: `${counts.snapshots} snapshots, ${counts.rows} rows, ${counts.zeros} zeros of ${simulation.served.count} answers`,
  };
}

/** Yields the good snapshots in order, with their rows from the history view. */
function* snapshotsOf(database: Database.Database, dataset: DatasetName) {
  const snapshots = database
    .prepare<[string], Snapshot>(
      `select snapshot_id as id, s.account, s.dataset, product_type as scope, taken_at_ms as takenAt,
         scheduled_for_ms as slot
       from snapshots s join runs using (run_id) where s.dataset = ? and s.state = 'ok' order by snapshot_id`,
    )
    .all(dataset);
  const rows = new Map<number, TrueRow[]>();
  for (const row of database.prepare<[], TrueRow>(`select * from ${viewOf(dataset)}`).iterate()) {
    const id = Number(row.snapshot_id);
    rows.set(id, [...(rows.get(id) ?? []), row]);
  }
  for (const snapshot of snapshots) yield { snapshot, stored: rows.get(snapshot.id) ?? [] };
}

function expectedRows(
  { account, dataset, scope, slot }: Snapshot,
  sent: readonly TrueRow[],
  stored: readonly TrueRow[],
  history: History,
): readonly TrueRow[] {
  const last = (of: string) => history.get(of)?.findLast((one) => one.slot <= slot);
  if (dataset === "equity")
    return sent.map((row) => equityOf(row, stored, last(`${account},funding-assets,`), last("public,prices,")));
  if (dataset === "prices")
    return pricesOf(
      sent,
      stored,
      ["main", "hedge"].map((one) => last(`${one},spot-assets,`)),
    );
  return [...sent, ...removalRows(dataset, last([account, dataset, scope].join())?.rows ?? [], sent)];
}

type Rows = { slot: number; rows: readonly TrueRow[] } | undefined;

/** Returns the expected price rows: of every stored or held coin, with a null price for coins that have no ticker. */
function pricesOf(sent: readonly TrueRow[], stored: readonly TrueRow[], wallets: readonly Rows[]): TrueRow[] {
  const held = wallets.flatMap((wallet) => wallet?.rows.filter(isHeld).map(({ coin }) => String(coin)) ?? []);
  const coins = new Set([...stored.map(({ coin }) => String(coin)), ...held.filter((coin) => coin !== "USDT")]);
  return [...coins].map((coin) => sent.find((row) => row.coin === coin) ?? { coin, quote: "USDT", price: null });
}

const isHeld = (row: TrueRow): boolean =>
  ["available", "frozen", "locked"].some((name) => units(String(row[name] ?? "0")) !== 0n);

/** Returns the expected equity. API v2 sends it complete; for v3 the funding wallet is added where it and its prices are known. */
function equityOf(sent: TrueRow, [stored]: readonly TrueRow[], funding: Rows, prices: Rows): TrueRow {
  if (sent.unified_usdt === undefined) return sent;
  const unified = String(sent.unified_usdt);
  const isKnown = stored?.other_usdt !== null;
  const worth = (funding?.rows ?? []).map((row) => {
    const price = row.coin === "USDT" ? "1" : prices?.rows.find(({ coin }) => coin === row.coin)?.price;
    return times(total([String(row.available), String(row.frozen)]), units(String(price ?? "0")));
  });
  const other = isKnown ? digitsOf(worth.reduce((a, b) => a + b, 0n)) : null;
  return {
    usdt_equity: other === null ? null : digitsOf(total([unified, other])),
    spot_usdt: null,
    futures_usdt: null,
    other_usdt: other,
    complete: isKnown ? 1 : 0,
    unified_usdt: unified,
  };
}

/** Compares the columns that the record has; returns null where they are equal. */
function difference(dataset: DatasetName, stored: readonly TrueRow[], expected: readonly TrueRow[]): string | null {
  if (stored.length !== expected.length) return `has ${stored.length} rows, and must have ${expected.length}`;
  const found = new Map(stored.map((row) => [keyOf(dataset, row), row]));
  for (const row of expected) {
    const one = found.get(keyOf(dataset, row));
    if (!one) return `lacks ${keyOf(dataset, row)}`;
    for (const [name, value] of Object.entries(row))
      if (one[name] !== value) return `${keyOf(dataset, row)} ${name} is ${one[name]}, and must be ${value}`;
  }
  return null;
}

/** Checks that every complete run has a snapshot for every scope of such an account. */
function wrongScopes(database: Database.Database, simulation: Stored): string[] {
  const runs = database
    .prepare<[], { account: string; dataset: DatasetName; slot: number; scopes: string }>(
      `select r.account, r.dataset, scheduled_for_ms as slot, group_concat(coalesce(product_type, '')) as scopes
       from runs r join snapshots s using (run_id) where r.state = 'ok' and s.state = 'ok' group by r.run_id`,
    )
    .all();
  return runs.flatMap(({ account, dataset, slot, scopes }) => {
    const requested = scopesOf(dataset, account === "main" && slot > simulation.upgraded ? "v3" : "v2").map(
      (one) => one ?? "",
    );
    const isAll = scopes.split(",").sort().join() === [...requested].sort().join();
    return isAll ? [] : [`${account} ${dataset} ${iso(slot)} is complete with ${scopes}`];
  });
}
