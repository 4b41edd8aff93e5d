/** Computes the reconciliation of one coin in one wallet again, as of the snapshots that the stored one took into account. */
import { dayMs, startOfDay } from "../../../core/time.ts";
import type { Findings } from "../../../reconciliation/chain.ts";
import { isNearFunding } from "../../../reconciliation/funding.ts";
import { firstAfter, type Snapshots } from "../../../reconciliation/snapshots.ts";
import { reasons } from "../../../reconciliation/verdict.ts";
import type { EntryReader } from "../../ledger/entries.ts";
import { type Judged, judgeChain } from "../../ledger/judge.ts";
import type { ChainState } from "../../ledger/ledger-rows.ts";
import { slotMs } from "../../ledger/reconciler.ts";
import { holesOf, type Wallet, type WalletReader } from "../../ledger/wallets.ts";
import { collectedOf } from "../../read/ledger/collected.ts";
import type { Sqlite } from "../../sqlite/database.ts";

export interface Readers {
  sqlite: Sqlite;
  wallets: WalletReader;
  entries: EntryReader;
}

/** A stored reconciliation of one coin in one wallet. */
export interface StoredChain {
  wallet: Wallet;
  coin: string;
  state: ChainState;
  /** In order. */
  stretches: readonly { from: number; to: number; verdict: string; cause: string | null }[];
}

export interface Recomputed extends Judged {
  snapshots: Snapshots;
}

/**
 * Yields what the stored reconciliation can be, the most likely first. It is not stored how many snapshots had been taken when it was
 * computed, and whether bills were collected then; mostly it was right after the run with the last snapshot of bills.
 */
export function* recomputations(
  { sqlite, wallets, entries }: Readers,
  { wallet, coin, state, stretches }: StoredChain,
  newFindings: () => Findings,
): Generator<Recomputed, void> {
  const { billsThrough: asOf } = state;
  const billScopes = wallet.billScopes.filter((scopeId) => firstSnapshot(sqlite, scopeId) <= asOf);
  const hasLedger = wallet.hasLedger && (wallet.name !== "funding" || billScopes.length > 0);
  const young = stretches.find(({ verdict, cause }) => verdict === "open" && cause === reasons.young);
  const all = wallets.snapshots(wallet, coin, 0);
  const entriesAsOf = (feesThrough: number) =>
    billScopes
      .flatMap((scopeId) => entries.ofCoin(scopeId, coin, feesThrough))
      .filter(({ snapshotId }) => snapshotId <= asOf);
  const views = [
    { until: lastTaken(sqlite, wallet.scopeId, asOf), feesThrough: asOf },
    ...lastOnes(all.times, stretches.at(-1)?.to ?? 0).map((until) => ({
      until,
      feesThrough: Number.MAX_SAFE_INTEGER,
    })),
  ];
  const frozenUntil = (until: number) => {
    const frozen = wallets.frozen(wallet, coin, 0);
    return frozen && upTo(frozen, until);
  };
  for (const isOn of [undefined, true, false])
    for (const { until, feesThrough } of views) {
      const snapshots = upTo(all, until);
      const { holes, through } = collectedOf(sqlite, billScopes, { asOf, isOn });
      const result = judgeChain(
        {
          entries: hasLedger ? entriesAsOf(feesThrough) : null,
          snapshots,
          before: null,
          tolerance: wallet.source.tolerance,
          holes: holesOf(wallet, holes),
          openAfter: young ? young.from : Number.MAX_SAFE_INTEGER,
          settleUntil: state.settledAt ?? -1,
          readUntil: through + slotMs,
          isUnsettled: isNearFunding,
        },
        {
          ...{ wallet: wallet.name, coin, frozen: () => frozenUntil(until) },
          ...{ isFound: false, findings: newFindings },
        },
      );
      yield { ...result, snapshots };
    }
}

/** Returns the end of the last day from which snapshots of the series of a scope were pruned, epoch ms; 0 if none were. */
export function prunedUntil(sqlite: Sqlite, scopeId: number): number {
  const slot = sqlite
    .prepare<[number], number | null>(
      `select max(r.slot) from pruned p join run r on r.id = p.run_id
       where r.series_id = (select series_id from scope where id = ?)`,
    )
    .pluck()
    .get(scopeId);
  return typeof slot === "number" ? startOfDay(slot) + dayMs : 0;
}

const firstSnapshot = (sqlite: Sqlite, scopeId: number): number =>
  sqlite.prepare<[number], number | null>("select min(id) from snapshot where scope_id = ?").pluck().get(scopeId) ??
  Number.MAX_SAFE_INTEGER;

/** Returns when the last good snapshot of a scope up to a snapshot was taken, epoch ms; -1 if there is none. */
const lastTaken = (sqlite: Sqlite, scopeId: number | null, snapshotId: number): number =>
  sqlite
    .prepare<[number | null, number], number | null>(
      "select max(taken_at) from snapshot where scope_id = ? and id <= ? and error_code is null",
    )
    .pluck()
    .get(scopeId, snapshotId) ?? -1;

/** Returns the last times up to an instant, the latest first. */
const lastOnes = (times: readonly number[], instant: number): number[] => {
  const count = firstAfter(times, instant);
  return times.slice(Math.max(0, count - 4), count).reverse();
};

/** Returns the snapshots up to an instant. */
function upTo({ times, versions }: Snapshots, instant: number): Snapshots {
  const count = firstAfter(times, instant);
  return { times: times.slice(0, count), versions: versions.filter(({ since }) => since < count) };
}
