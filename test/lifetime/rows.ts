/** Every stored snapshot beside what the exchange sent at that instant. */
import type Database from "better-sqlite3";
import type { DatasetName, Scope } from "../../src/core/domain.ts";
import { datasetNames } from "../../src/datasets/index.ts";
import type { TrueRow } from "../../src/simulator/simulator.ts";
import { digitsOf, times, total, units } from "../scenarios/life/exact.ts";
import { gone, iso } from "../scenarios/life/truth.ts";
import { asViewed, keyOf, scopesOf, viewOf } from "../support/declared.ts";
import type { Check } from "./checks.ts";
import type { Lived } from "./life.ts";

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

export function wrongRows(database: Database.Database, lived: Lived): Check {
  const problems: string[] = [];
  const counts = { snapshots: 0, rows: 0, zeros: 0 };
  const history: History = new Map();
  for (const dataset of datasetNames) {
    for (const { snapshot, stored } of snapshotsOf(database, dataset)) {
      const { account, scope, takenAt, slot } = snapshot;
      const series = [account, dataset, scope].join();
      const known = history.get(series) ?? [];
      history.set(series, known);
      const said = lived.told.rows(dataset, account, scope, takenAt)?.map((row) => asViewed(dataset, row));
      const rows = said && expectedRows(snapshot, said, stored, history);
      const problem = rows ? difference(dataset, stored, rows) : "was never told";
      if (problem) problems.push(`${account} ${dataset} ${scope ?? ""} of ${iso(takenAt)} ${problem}`);
      known.push({ slot, rows: rows ?? [] });
      counts.snapshots += 1;
      counts.rows += stored.length;
      counts.zeros += (rows ?? []).flatMap((row) => Object.values(row)).filter((cell) => cell === "0").length;
    }
  }
  return {
    promise: "every snapshot is what the exchange sent; no zero that it did not say",
    problems: [...problems, ...wrongScopes(database, lived)],
    seen: `${counts.snapshots} snapshots, ${counts.rows} rows, ${counts.zeros} zeros of ${lived.told.answers} answers`,
  };
}

/** Good snapshots with their rows as the history shows them, one after the other. */
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
  said: readonly TrueRow[],
  stored: readonly TrueRow[],
  history: History,
): readonly TrueRow[] {
  const last = (of: string) => history.get(of)?.findLast((one) => one.slot <= slot);
  if (dataset === "equity")
    return said.map((row) => equityOf(row, stored, last(`${account},funding-assets,`), last("public,prices,")));
  if (dataset === "prices")
    return pricesOf(
      said,
      stored,
      ["main", "hedge"].map((one) => last(`${one},spot-assets,`)),
    );
  return [...said, ...gone(dataset, last([account, dataset, scope].join())?.rows ?? [], said)];
}

type Rows = { slot: number; rows: readonly TrueRow[] } | undefined;

/** A price for whatever is held of what was told, or none for what nobody trades; the coins of the spot wallets among them. */
function pricesOf(said: readonly TrueRow[], stored: readonly TrueRow[], wallets: readonly Rows[]): TrueRow[] {
  const held = wallets.flatMap((wallet) => wallet?.rows.filter(isHeld).map(({ coin }) => String(coin)) ?? []);
  const coins = new Set([...stored.map(({ coin }) => String(coin)), ...held.filter((coin) => coin !== "USDT")]);
  return [...coins].map((coin) => said.find((row) => row.coin === coin) ?? { coin, quote: "USDT", price: null });
}

const isHeld = (row: TrueRow): boolean =>
  ["available", "frozen", "locked"].some((name) => units(String(row[name] ?? "0")) !== 0n);

/** v2 tells it all. To what v3 tells of its one wallet comes the funding wallet, where that and its prices are known. */
function equityOf(said: TrueRow, [stored]: readonly TrueRow[], funding: Rows, prices: Rows): TrueRow {
  if (said.unified_usdt === undefined) return said;
  const unified = String(said.unified_usdt);
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

/** In the columns that the record knows. */
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

/** A run that is called complete has an answer for everything that is asked of such an account. */
function wrongScopes(database: Database.Database, lived: Lived): string[] {
  const runs = database
    .prepare<[], { account: string; dataset: DatasetName; slot: number; scopes: string }>(
      `select r.account, r.dataset, scheduled_for_ms as slot, group_concat(coalesce(product_type, '')) as scopes
       from runs r join snapshots s using (run_id) where r.state = 'ok' and s.state = 'ok' group by r.run_id`,
    )
    .all();
  return runs.flatMap(({ account, dataset, slot, scopes }) => {
    const asked = scopesOf(dataset, account === "main" && slot > lived.upgraded ? "v3" : "v2").map((one) => one ?? "");
    const isAll = scopes.split(",").sort().join() === [...asked].sort().join();
    return isAll ? [] : [`${account} ${dataset} ${iso(slot)} is complete with ${scopes}`];
  });
}
